#include <cotls/session.hpp>

#include "error/fail.hpp"
#include "session/session_body.hpp"
#include "session/session_bytes.hpp"
#include "session/session_cache.hpp"

#include <openssl/ssl.h>

#include <utility>

namespace cotls {

using clock = std::chrono::system_clock;

session::session(std::shared_ptr<detail::session_body const> body) noexcept
    : body_(std::move(body)) {}

session session::from_bytes(std::span<unsigned char const> bytes) {
  session read(detail::read_session(bytes));
  if (read.expires() <= clock::now()) detail::fail(errc::session_expired, "reading a session");
  return read;
}

std::vector<unsigned char> session::bytes() const { return detail::write_session(*body_); }

std::string const& session::host() const& noexcept { return body_->origin().server; }

std::uint16_t session::port() const noexcept { return body_->origin().port; }

bool session::verified() const noexcept { return body_->origin().verified; }

std::string session::version() const {
  return single_use() ? "TLSv1.3" : "TLSv1.2";   // of those before, it is as good as that
}

bool session::single_use() const noexcept { return body_->single_use(); }

clock::time_point session::made() const noexcept {
  return clock::from_time_t(static_cast<std::time_t>(SSL_SESSION_get_time(body_->native())));
}

clock::time_point session::expires() const noexcept {
  return made() + std::chrono::seconds(detail::lifetime_of(body_->native()));
}

}  // namespace cotls
