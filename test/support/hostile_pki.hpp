#pragma once

#include <cotls/certificate.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

/** One name of subjectAltName (RFC 5280 section 4.2.1.6), as it is, whatever bytes it has. */
class alternative_name {
 public:
  enum class kind { dns, address };

  static alternative_name dns(std::string octets) { return {kind::dns, std::move(octets)}; }
  static alternative_name address(std::string octets) { return {kind::address, std::move(octets)}; }

  /** A DNS name or, if the text is one, an address. */
  static alternative_name of(std::string const& text);

  kind type() const noexcept { return type_; }
  std::string const& octets() const noexcept { return octets_; }

 private:
  alternative_name(kind type, std::string octets) : type_(type), octets_(std::move(octets)) {}

  kind type_;
  std::string octets_;
};

/** What a certificate is to be, be it right or wrong. Its key is of P-256 unless it is said to be
    another. */
class blueprint {
 public:
  using extensions_type = std::map<std::string, std::string>;

  /** An authority's, valid for eight days from two days ago. */
  static blueprint authority(std::string subject);

  /** A server's, valid for a day from an hour ago. Its common name is that of nobody. */
  static blueprint server(std::vector<std::string> const& names);

  blueprint& subject(std::string common_name) {
    subject_ = std::move(common_name);
    return *this;
  }
  blueprint& valid(std::chrono::seconds from, std::chrono::seconds until) {
    from_ = from;
    until_ = until;
    return *this;
  }
  blueprint& rsa(unsigned bits) { rsa_bits_ = bits; return *this; }

  /** The digest that it is signed with, by OpenSSL's name; MD5 takes an issuer with an RSA key. */
  blueprint& digest(std::string name) { digest_ = std::move(name); return *this; }

  /** Sets an extension, by its name or object identifier, to a value as OpenSSL writes it
      (x509v3_config(5)); an empty value takes it away. */
  blueprint& extension(std::string const& name, std::string value) {
    extensions_[name] = std::move(value);
    return *this;
  }

  /** Sets the alternative names; without any there is no such extension. */
  blueprint& names(std::vector<alternative_name> all) { names_ = std::move(all); return *this; }

  std::string const& subject() const noexcept { return subject_; }
  std::chrono::seconds from() const noexcept { return from_; }
  std::chrono::seconds until() const noexcept { return until_; }
  unsigned rsa_bits() const noexcept { return rsa_bits_; }
  std::string const& digest() const noexcept { return digest_; }
  extensions_type const& extensions() const noexcept { return extensions_; }
  std::vector<alternative_name> const& names() const noexcept { return names_; }

 private:
  blueprint() = default;

  std::string subject_;
  std::chrono::seconds from_{};
  std::chrono::seconds until_{};
  unsigned rsa_bits_ = 0;   // of P-256
  std::string digest_ = "SHA256";
  extensions_type extensions_;
  std::vector<alternative_name> names_;
};

/** A certificate that was made to a blueprint, with its key. */
class crafted {
 public:
  static crafted self_signed(blueprint const& plan);

  /** Makes a certificate for a new key. */
  crafted sign(blueprint const& plan) const;

  /** Makes another certificate for the key of one that was made: a cross certificate. */
  crafted sign(blueprint const& plan, crafted const& of_the_same_key) const;

  /** The same with another bit in its signature. */
  crafted with_wrong_signature() const;

  std::string pem() const { return certificate_.pem(); }
  std::string key() const;   ///< PKCS #8, as PEM

 private:
  struct key_pair;
  crafted(certificate made, std::shared_ptr<key_pair const> pair)
      : certificate_(std::move(made)), pair_(std::move(pair)) {}
  static crafted make(blueprint const& plan, std::shared_ptr<key_pair const> pair,
                      crafted const* issuer);

  certificate certificate_;
  std::shared_ptr<key_pair const> pair_;
};

}  // namespace cotls::test
