#include "blocking/handshake.hpp"

#include <cotls/detail/support/access.hpp>

#include "operation/farewell.hpp"
#include "operation/last_words.hpp"

#include <algorithm>
#include <chrono>

namespace cotls::detail {

void shake_hands(blocking::stream& made, std::string const& peer) {
  auto const began = std::chrono::steady_clock::now();
  error_code code;
  made.handshake(code);
  if (!code) return;
  // A server that we refuse has said most of what it has to say; a client may be talking still.
  std::chrono::steady_clock::duration patience(0);
  if (access::core(made)->engine().is_server()) {
    auto const left = made.handshake_timeout() - (std::chrono::steady_clock::now() - began);
    patience = std::min(left, decltype(left)(longest_farewell));
  }
  let_last_words_arrive(made.native_socket(), give_up_after(patience));
  throw access::core(made)->engine().handshake_failure(code, peer);
}

}  // namespace cotls::detail
