#pragma once

#include <boost/asio/ip/address.hpp>

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace cotls::detail {

/** Whom a client means, by one strict reading: what is looked up, connected to, asked for (SNI) and
    verified is the same.

    A host is a DNS name of letters, digits, hyphens and underscores, or an address: four decimal
    numbers, or an IPv6 literal without brackets, which may have a zone. Nothing else: others read
    `010.0.0.1`, `127.1` and `10.0.0.1 x` as addresses, each in its own way (T24).
*/
class host_name {
 public:
  static std::optional<host_name> parse(std::string_view text);

  /** @par Errors `errc::invalid_host_name` for a text that is no host */
  explicit host_name(std::string_view text);

  /** The address with its zone, which is what is connected to; none for a DNS name. */
  std::optional<boost::asio::ip::address> const& address() const noexcept { return address_; }

  /** The DNS name without a final dot, which neither SNI (RFC 6066 section 3) nor certificates
      (RFC 5280 section 4.2.1.6) have; empty for an address. */
  std::string const& name() const noexcept { return name_; }

  /** Whether the address is one of a link's, whose zone says which. */
  bool has_zone() const noexcept { return has_zone_; }

  /** Tells whether a certificate is for this host (RFC 9525 section 6): by its subject alternative
      names alone. */
  bool is_named_by(X509* certificate) const;

  /** Throws where a certificate for another host cannot be accepted for this one: OpenSSL chooses
      between names alone.
      @par Errors `errc::invalid_host_name` */
  void check_beside(host_name const& other) const;

  /** Has OpenSSL accept a certificate for another host, too. False when it fails.
      @par Errors as `check_beside` */
  bool also_accept(host_name const& other, X509_VERIFY_PARAM* verification) const;

  /** Has OpenSSL verify the same as `is_named_by`. False when it fails. */
  bool require_in(X509_VERIFY_PARAM* verification) const;

 private:
  host_name() = default;

  std::optional<boost::asio::ip::address> address_;
  std::string name_;
  bool has_zone_ = false;
};

/** Returns an address as certificates hold it, in network byte order. */
std::string octets_of(boost::asio::ip::address const& address);

}  // namespace cotls::detail
