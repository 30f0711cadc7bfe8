#include "plain_http.hpp"

#include "openssl/openssl_error.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

namespace cotls::tool {

namespace {

constexpr std::string_view answer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 60\r\n"
    "Connection: close\r\n"
    "\r\n"
    "400 Bad Request: this port speaks HTTPS; use a https:// URL\n";

static_assert(answer.substr(answer.find("\r\n\r\n") + 4).size() == 60);

// What OpenSSL's failure is, without taking it: it is the library's to report.
bool failed_over_http() {
  unsigned long const failed = detail::peek_openssl_error();
  if (ERR_GET_LIB(failed) != ERR_LIB_SSL) return false;
  int const reason = ERR_GET_REASON(failed);
  return reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST;
}

}  // namespace

// The answer leaves in the place of the alert that OpenSSL does not send to such a client, by the
// same way: it is written to what carries the connection's records.
void answer_plain_http(server_context const& context) {
  SSL_CTX_set_info_callback(context.native_handle(), [](SSL const* of, int where, int result) {
    if (where != SSL_CB_ACCEPT_EXIT || result > 0 || !failed_over_http()) return;
    BIO_write(SSL_get_wbio(of), answer.data(), static_cast<int>(answer.size()));
  });
}

}  // namespace cotls::tool
