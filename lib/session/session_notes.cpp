// A byte that says which form this is, the moment in eight, and the certificates behind one
// another.

#include "session/session_notes.hpp"

#include <openssl/ssl.h>

#include <cstdint>

namespace cotls::detail {

namespace {

constexpr unsigned char notes_form = 1;
constexpr std::size_t notes_head = 1 + 8;

x509_stack_ptr certificates_in(std::string const& der) {
  x509_stack_ptr found(sk_X509_new_null());
  auto const* next = reinterpret_cast<unsigned char const*>(der.data());
  unsigned char const* const end = next + der.size();
  while (found && next < end) {
    x509_ptr each(d2i_X509(nullptr, &next, static_cast<long>(end - next)));
    if (!each || sk_X509_push(found.get(), each.get()) <= 0) return nullptr;
    each.release();
  }
  return found;
}

}  // namespace

std::optional<session_notes> session_notes::of(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) return std::nullopt;
  auto const* const bytes = static_cast<unsigned char const*>(data);
  if (size < notes_head || bytes[0] != notes_form) return std::nullopt;
  std::uint64_t moment = 0;
  for (std::size_t i = 1; i < notes_head; ++i) moment = moment << 8 | bytes[i];
  session_notes found(static_cast<std::time_t>(moment));
  found.others_.assign(reinterpret_cast<char const*>(bytes) + notes_head, size - notes_head);
  return found;
}

bool session_notes::write_to(SSL_SESSION* session) const {
  std::string bytes(1, static_cast<char>(notes_form));
  auto const moment = static_cast<std::uint64_t>(made_);
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<unsigned char>(moment >> shift));
  }
  bytes += others_;
  return SSL_SESSION_set1_ticket_appdata(session, bytes.data(), bytes.size()) == 1;
}

void session_notes::keep(STACK_OF(X509)* others, X509 const* own) {
  others_.clear();
  for (int i = 0; i < sk_X509_num(others); ++i) {
    X509* const each = sk_X509_value(others, i);
    if (own && X509_cmp(each, own) == 0) continue;   // a client's chain begins with the peer's own
    unsigned char* written = nullptr;
    int const size = i2d_X509(each, &written);
    openssl_memory_ptr const bytes(written);
    if (size > 0) others_.append(reinterpret_cast<char const*>(bytes.get()), std::size_t(size));
  }
}

x509_stack_ptr session_notes::others() const {
  return others_.empty() ? nullptr : certificates_in(others_);
}

}  // namespace cotls::detail
