#pragma once

#include <cotls/detail/channel/input_chunk.hpp>
#include <cotls/detail/settings/special_options.hpp>
#include <cotls/early_data.hpp>

#include "settings/alpn_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace cotls::detail {

/** What a client does about data that it has to say early.

        unplanned --> offered --> sent --> over      the server has taken it
             |           with the hello      \
             +---------------------------> late --> over
*/
struct early_sending {
  enum class stage : std::uint8_t { unplanned, offered, sent, late, over };

  early_sending(std::shared_ptr<early_request const> asked, alpn_settings offers)
      : request(std::move(asked)), offered(std::move(offers)) {}

  std::shared_ptr<early_request const> request;
  alpn_settings offered;         // protocols, in which `protocol` is found
  std::string_view protocol;     // that the data is of; empty: of none
  std::size_t written = 0;       // bytes, behind the handshake
  stage at = stage::unplanned;
  early_data outcome = early_data::none;
};

/** What a server does about the early data of its client. */
struct early_reading {
  enum class stage : std::uint8_t {
    expected,  // the handshake is to stop where there is some
    begun,     // it has, or the program asks for it by itself
    over,      // the client has said so, there was none, or it was rejected
  };

  std::size_t kept() const noexcept { return end - begin; }

  input_chunk chunk;       // only while it may be read into, or something is kept
  std::size_t begin = 0;   // of what is kept
  std::size_t end = 0;
  stage at = stage::expected;
};

}  // namespace cotls::detail
