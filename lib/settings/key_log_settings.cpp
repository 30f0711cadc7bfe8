#include "settings/key_log_settings.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_context.hpp"

#include <utility>

namespace cotls::detail {

namespace {

using shared_listener = std::shared_ptr<key_log_settings::listener const>;

// No exception may cross OpenSSL, and a log that fails is no reason to end a connection. Of one
// that the program has given a context without listener, nobody is told.
void on_secret(SSL const* of, char const* line) noexcept {
  auto const* const told = owned_by_context<shared_listener>::find(SSL_get_SSL_CTX(of));
  if (!told) return;
  try {
    (**told)(line);
  } catch (...) {
    // Only the line is lost.
  }
}

}  // namespace

key_log_settings::key_log_settings(listener told) {
  if (told) told_ = std::make_shared<listener const>(std::move(told));
}

void key_log_settings::apply_to(SSL_CTX* context) const {
  auto made = told_ ? std::make_unique<shared_listener>(told_) : nullptr;
  shared_listener const* const given = made.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<shared_listener>::exchange(context, std::move(made));
  if (given && replaced.get() == given) throw_openssl_error({}, "setting a key log");
  SSL_CTX_set_keylog_callback(context, given ? on_secret : nullptr);
}

}  // namespace cotls::detail
