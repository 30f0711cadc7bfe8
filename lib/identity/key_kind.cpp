#include "identity/key_kind.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

namespace cotls::detail {

namespace {

// "P-256" for what OpenSSL calls prime256v1; other curves as OpenSSL calls them.
std::string group_name(EVP_PKEY const* key) {
  char name[64] = {};
  if (EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) != 1) return {};
  char const* familiar = EC_curve_nid2nist(OBJ_sn2nid(name));
  return familiar ? familiar : name;
}

}  // namespace

bool is_rsa(EVP_PKEY const* key) noexcept {
  return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
}

std::string key_kind(EVP_PKEY const* key) {
  if (!key) return "unknown";   // a certificate may hold a key that OpenSSL cannot read
  char const* type = EVP_PKEY_get0_type_name(key);
  std::string name = type ? type : "unknown";
  if (name == "EC") return name + ' ' + group_name(key);
  if (is_rsa(key)) return name + ' ' + std::to_string(EVP_PKEY_get_bits(key));
  return name;
}

}  // namespace cotls::detail
