#include "trust/roots.hpp"

#include "error/fail.hpp"
#include "identity/pem_input.hpp"
#include "openssl/openssl_error.hpp"
#include "trust/revocation.hpp"

#include <cerrno>

namespace cotls::detail {

namespace {

x509_store_ptr make_system_store() {
  clear_openssl_errors();
  x509_store_ptr store(X509_STORE_new());
  if (!store || X509_STORE_set_default_paths(store.get()) != 1) {
    throw_openssl_error({}, "loading the system's roots");
  }
  heed_revocation_lists(store.get());
  return store;
}

}  // namespace

authorities::authorities(x509_info_stack_ptr found) : found_(std::move(found)) {
  for (int i = 0; i < sk_X509_INFO_num(found_.get()); ++i) {
    X509_INFO const* const entry = sk_X509_INFO_value(found_.get(), i);
    if (entry->x509) ++certificates_;
    if (entry->crl) ++lists_;
  }
}

authorities authorities::from_pem(std::string_view pem, std::string const& doing) {
  clear_openssl_errors();
  bio_ptr const input = bio_over(pem);
  x509_info_stack_ptr found(PEM_X509_INFO_read_bio(input.get(), nullptr, no_password, nullptr));
  if (!found) throw_openssl_error(errc::no_certificate_found, doing);
  authorities read(std::move(found));
  if (read.certificates_ + read.lists_ == 0) fail(errc::no_certificate_found, doing);
  return read;
}

authorities authorities::from_file(std::filesystem::path const& file, std::string const& doing) {
  file_contents const contents(file, doing);
  return from_pem(contents.view(), doing);
}

void authorities::add_to(X509_STORE* store, std::string const& doing) const {
  clear_openssl_errors();
  for (int i = 0; i < sk_X509_INFO_num(found_.get()); ++i) {
    X509_INFO const* const entry = sk_X509_INFO_value(found_.get(), i);
    bool const added = (!entry->x509 || X509_STORE_add_cert(store, entry->x509) == 1) &&
                       (!entry->crl || X509_STORE_add_crl(store, entry->crl) == 1);
    if (!added) throw_openssl_error({}, doing);
  }
  if (has_revocation_lists()) require_revocation_lists(store);
}

void authorities::suggest_by(SSL_CTX* server) const {
  clear_openssl_errors();
  for (int i = 0; i < sk_X509_INFO_num(found_.get()); ++i) {
    X509* const authority = sk_X509_INFO_value(found_.get(), i)->x509;
    if (authority && SSL_CTX_add_client_CA(server, authority) != 1) {
      throw_openssl_error({}, "suggesting authorities");
    }
  }
}

void check_directory(std::filesystem::path const& directory, std::string const& doing) {
  std::error_code failed;
  bool const is_directory = std::filesystem::is_directory(directory, failed);
  if (failed) fail({failed.value(), boost::system::system_category()}, doing);
  if (!is_directory) fail({ENOTDIR, boost::system::system_category()}, doing);
}

bool has_certificates(X509_STORE* store) {
  STACK_OF(X509_OBJECT) const* const all = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    if (X509_OBJECT_get_type(sk_X509_OBJECT_value(all, i)) == X509_LU_X509) return true;
  }
  return false;
}

// The system's file of roots holds hundreds of certificates: it is parsed once in a process (T19).
// Static objects may connect while the process ends.
X509_STORE* system_store() {
  static X509_STORE* const store = make_system_store().release();
  return store;
}

}  // namespace cotls::detail
