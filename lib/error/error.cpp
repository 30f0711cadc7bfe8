// The three categories, and how an error's text is put together:
//
//   handshake with localhost:443 failed: the peer's certificate has expired
//     context                              reason
//       (depth 0, CN=localhost) [ssl: certificate verify failed]
//         detail                  category and short name

#include <cotls/error.hpp>

#include "error/words.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cotls {

namespace {

using detail::describe;
using detail::description;
using detail::familiar_reason;
using detail::openssl_reason;
using detail::verification_reason;

std::string compose(error_code const& code, detail::failure const& known);

class cotls_category_type final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "cotls"; }
  std::string message(int value) const override { return describe(static_cast<errc>(value)).text; }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    auto const code = static_cast<errc>(value);
    bool const timeout = code == errc::connect_timeout || code == errc::handshake_timeout ||
                         code == errc::shutdown_timeout;
    if (timeout) return boost::system::errc::timed_out;
    return {value, *this};
  }
};

class alert_category_type final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "tls.alert"; }
  std::string message(int value) const override {
    description const known = describe(static_cast<alert>(value));
    return std::string(known.text) + " (alert " +
           (*known.name != '\0' ? known.name : std::to_string(value)) + ")";
  }
};

class openssl_category_type final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "ssl"; }
  std::string message(int value) const override { return openssl_reason(value); }
};

// Codes are compared and told while the process ends: the categories last as long as it does.
static_assert(std::is_trivially_destructible_v<cotls_category_type> &&
              std::is_trivially_destructible_v<alert_category_type> &&
              std::is_trivially_destructible_v<openssl_category_type>);

}  // namespace

boost::system::error_category const& cotls_category() noexcept {
  static constinit cotls_category_type const category;
  return category;
}

boost::system::error_category const& alert_category() noexcept {
  static constinit alert_category_type const category;
  return category;
}

boost::system::error_category const& openssl_category() noexcept {
  static constinit openssl_category_type const category;
  return category;
}

error_code make_error_code(errc value) noexcept {
  return {static_cast<int>(value), cotls_category()};
}

error_code make_error_code(alert value) noexcept {
  return {static_cast<int>(value), alert_category()};
}

struct error::record {
  detail::failure known;
  std::string text;
};

error::error(error_code code, detail::failure known) : system_error(code) {
  std::string text = compose(code, known);
  record_ = std::make_shared<record const>(record{std::move(known), std::move(text)});
}

char const* error::what() const noexcept { return record_->text.c_str(); }

cotls::status error::status() const noexcept { return record_->known.status; }

std::optional<cotls::alert> error::alert() const noexcept {
  if (code().category() != alert_category()) return std::nullopt;
  return static_cast<cotls::alert>(code().value());
}

int error::verify_result() const noexcept { return record_->known.verify_result; }

std::string const& error::openssl_stack() const& noexcept { return record_->known.openssl_stack; }

namespace {

std::string library_of(int value) {
  char const* library = ERR_lib_error_string(static_cast<unsigned>(value));
  return library ? library : "OpenSSL";
}

bool refused_by_verification(error_code const& code, detail::failure const& known) noexcept {
  bool const known_better =
      code.category() == alert_category() || code.category() == cotls_category();
  return known.verify_result != X509_V_OK && !known_better;
}

std::string reason_of(error_code const& code, detail::failure const& known) {
  if (refused_by_verification(code, known)) {
    return verification_reason(known.verify_result, known.verify_depth);
  }
  if (code.category() == alert_category()) {
    return describe(known.certificate_missed ? alert::certificate_required
                                             : static_cast<alert>(code.value())).text;
  }
  if (code.category() != openssl_category()) return code.message();
  if (char const* familiar = familiar_reason(code.value())) return familiar;
  return "OpenSSL says '" + code.message() + "'";
}

// The lines of the stack that do not merely repeat the error code.
std::string further_reasons(error_code const& code, std::string_view stack) {
  if (code.category() == alert_category()) return {};
  std::string own;
  if (code.category() == openssl_category()) {
    own = library_of(code.value()) + ": " + code.message();
  }
  std::string further;
  while (!stack.empty()) {
    std::string_view const line = stack.substr(0, stack.find('\n'));
    stack.remove_prefix(std::min(line.size() + 1, stack.size()));
    if (line == own || further.find(line) != std::string::npos) continue;
    if (!further.empty()) further += "; ";
    further += line;
  }
  return further;
}

std::string place_of(detail::failure const& known) {
  std::string where = "depth " + std::to_string(known.verify_depth);
  if (!known.verify_subject.empty()) where += ", " + known.verify_subject;
  return where;
}

std::string detail_of(error_code const& code, detail::failure const& known) {
  if (!refused_by_verification(code, known)) {
    return known.remark.empty() ? further_reasons(code, known.openssl_stack) : known.remark;
  }
  std::string const place = place_of(known);
  return known.remark.empty() ? place : place + "; " + known.remark;
}

std::string short_name(error_code const& code) {
  if (code.category() == openssl_category()) return code.message();
  if (code.category() == cotls_category()) return describe(static_cast<errc>(code.value())).name;
  if (code.category() == alert_category()) {
    char const* name = describe(static_cast<alert>(code.value())).name;
    if (*name != '\0') return name;
  }
  return std::to_string(code.value());
}

std::string compose(error_code const& code, detail::failure const& known) {
  std::string text = known.context;
  if (!code) return text.empty() ? "no error" : text + ": no error";
  if (!text.empty()) text += " failed: ";
  text += reason_of(code, known);
  if (std::string const more = detail_of(code, known); !more.empty()) text += " (" + more + ")";
  return text + " [" + code.category().name() + ": " + short_name(code) + "]";
}

}  // namespace

}  // namespace cotls
