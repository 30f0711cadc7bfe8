// A PEM file may hold several keys among other things. Its blocks are found here, one by one, and
// OpenSSL is given one block at a time: only so can a key that is not wanted be skipped, and an
// encrypted one be told apart from a damaged one.

#include <cotls/private_key.hpp>

#include <cotls/error.hpp>

#include "error/fail.hpp"
#include "identity/key_kind.hpp"
#include "identity/password_source.hpp"
#include "identity/pem_input.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <climits>
#include <optional>

namespace cotls {

namespace {

using namespace detail;

// One -----BEGIN name----- … -----END name----- of a PEM text.
struct pem_block {
  std::string_view name;
  std::string_view text;   // with its first and last line
};

// Returns the next block that is complete, and takes it and all before it off the text.
std::optional<pem_block> next_block(std::string_view& pem) {
  constexpr std::string_view begin = "-----BEGIN ";
  constexpr std::string_view dashes = "-----";
  for (;;) {
    std::size_t const start = pem.find(begin);
    if (start == std::string_view::npos) return std::nullopt;
    bool const starts_line = start == 0 || pem[start - 1] == '\n' || pem[start - 1] == '\r';
    pem.remove_prefix(start);
    std::string_view const line = pem.substr(0, pem.find_first_of("\r\n"));
    std::size_t const name_end = line.find(dashes, begin.size());
    if (!starts_line || name_end == std::string_view::npos) {
      pem.remove_prefix(begin.size());
      continue;
    }
    std::string_view const name = line.substr(begin.size(), name_end - begin.size());
    std::string const last_line = "-----END " + std::string(name) + "-----";
    std::size_t const last = pem.find(last_line);
    if (last == std::string_view::npos) return std::nullopt;
    pem_block const block{name, pem.substr(0, last + last_line.size())};
    pem.remove_prefix(block.text.size());
    return block;
  }
}

bool is_private_key(pem_block const& block) { return block.name.ends_with("PRIVATE KEY"); }

bool is_encrypted(pem_block const& block) {
  return block.name == "ENCRYPTED PRIVATE KEY" ||
         block.text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

// Some block names tell the type, so that an encrypted key can be skipped without its password.
bool is_surely_not_rsa(pem_block const& block) {
  return block.name == "EC PRIVATE KEY" || block.name == "DSA PRIVATE KEY";
}

// Gives OpenSSL the password, or an answer that fails: it never asks on the terminal.
int on_password(char* buffer, int size, int, void* password) {
  return give_password(buffer, size, static_cast<std::string const*>(password));
}

pkey_ptr parse_pem(std::string_view pem, key_options const& options, std::string const& doing) {
  password_source password(options);
  while (auto const block = next_block(pem)) {
    if (!is_private_key(*block)) continue;
    if (options.is_rsa_only() && is_surely_not_rsa(*block)) continue;
    bool const encrypted = is_encrypted(*block);
    std::string const* const secret = encrypted ? &password.value(doing) : nullptr;
    clear_openssl_errors();
    bio_ptr const input = bio_over(block->text);
    pkey_ptr key(PEM_read_bio_PrivateKey(input.get(), nullptr, on_password,
                                         const_cast<std::string*>(secret)));
    // Decryption by a wrong password may give an error of the cipher or, once in 256, bytes that
    // are no key.
    errc const reason = encrypted ? errc::wrong_password : errc::no_private_key_found;
    if (!key) throw_openssl_error(reason, doing);
    if (!options.is_rsa_only() || is_rsa(key.get())) return key;
  }
  fail(errc::no_private_key_found, doing);
}

// Returns nothing when the bytes are not an encrypted PKCS #8 key (RFC 5958 section 3).
x509_sig_ptr parse_encrypted_der(unsigned char const* bytes, long size) {
  unsigned char const* rest = bytes;
  x509_sig_ptr encrypted(d2i_X509_SIG(nullptr, &rest, size));
  clear_openssl_errors();
  if (rest != bytes + size) encrypted.reset();
  return encrypted;
}

pkey_ptr decrypt(X509_SIG const* encrypted, key_options const& options, std::string const& doing) {
  password_source password(options);
  std::string const& secret = password.value(doing);
  clear_openssl_errors();
  pkcs8_info_ptr const info(
      PKCS8_decrypt(encrypted, secret.data(), static_cast<int>(secret.size())));
  if (!info) throw_openssl_error(errc::wrong_password, doing);
  pkey_ptr key(EVP_PKCS82PKEY(info.get()));
  if (!key) throw_openssl_error(errc::no_private_key_found, doing);
  return key;
}

pkey_ptr parse_der(std::string_view der, key_options const& options, std::string const& doing) {
  clear_openssl_errors();
  if (der.empty() || der.size() > INT_MAX) fail(errc::no_private_key_found, doing);
  auto const* bytes = reinterpret_cast<unsigned char const*>(der.data());
  auto const size = static_cast<long>(der.size());
  pkey_ptr key;
  if (x509_sig_ptr const encrypted = parse_encrypted_der(bytes, size)) {
    key = decrypt(encrypted.get(), options, doing);
  } else {
    unsigned char const* rest = bytes;
    key.reset(d2i_AutoPrivateKey(nullptr, &rest, size));
    if (!key || rest != bytes + size) throw_openssl_error(errc::no_private_key_found, doing);
  }
  if (options.is_rsa_only() && !is_rsa(key.get())) fail(errc::no_private_key_found, doing);
  return key;
}

pkey_ptr parse(std::string_view data, key_options const& options, std::string const& doing) {
  return options.is_der() ? parse_der(data, options, doing) : parse_pem(data, options, doing);
}

}  // namespace

private_key private_key::from_memory(std::string_view data, key_options const& options) {
  return private_key(parse(data, options, "reading a private key"));
}

private_key private_key::from_file(std::filesystem::path const& path, key_options const& options) {
  std::string const doing = "loading the private key " + path.string();
  file_contents const contents(path, doing);
  return private_key(parse(contents.view(), options, doing));
}

private_key private_key::generate() {
  clear_openssl_errors();
  pkey_ptr made(EVP_EC_gen("P-256"));
  if (!made) throw_openssl_error({}, "making a private key");
  return private_key(std::move(made));
}

private_key private_key::from_native(evp_pkey_st* handle) {
  EVP_PKEY_up_ref(handle);
  return private_key(pkey_ptr(handle));
}

std::string private_key::pem() const {
  clear_openssl_errors();
  bio_ptr const output(BIO_new(BIO_s_mem()));   // wipes its memory when it is let go of
  bool const written =
      output && PEM_write_bio_PKCS8PrivateKey(output.get(), handle_.get(), nullptr, nullptr, 0,
                                              no_password, nullptr) == 1;
  if (!written) throw_openssl_error({}, "writing a private key");
  char* data = nullptr;
  long const size = BIO_get_mem_data(output.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string private_key::kind() const { return key_kind(handle_.get()); }

}  // namespace cotls
