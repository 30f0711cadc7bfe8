#pragma once

#include "pki.hpp"

#include <cotls/context.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

/** A chain, who looks at it and what he must make of it: right by RFC 5280 and RFC 9525, or by what
    OpenSSL does where these leave a choice. */
class verification_case {
 public:
  /** @param topic  Cases of one topic are each other's twins: at least one of them is accepted, and
                    one refused.
      @param what   How this one differs. With the topic it is the case's name.
      @param host   Whom a client asks for. */
  verification_case(std::string topic, std::string what, std::string host)
      : topic_(std::move(topic)), what_(std::move(what)), host_(std::move(host)) {}

  /** @param chain  What is shown, the end entity's certificate first, as PEM
      @param key    Its key
      @param roots  The authorities that are trusted, as PEM */
  verification_case& shows(std::string chain, std::string key, std::string roots) {
    chain_ = std::move(chain);
    key_ = std::move(key);
    roots_ = std::move(roots);
    return *this;
  }

  /** Revocation lists, as PEM, that are heeded. */
  verification_case& lists(std::string pem) { lists_ = std::move(pem); return *this; }
  verification_case& whole_chain() { whole_chain_ = true; return *this; }
  verification_case& depth(int most) { depth_ = most; return *this; }

  /** The chain is shown to a server, which verifies its client. */
  verification_case& shown_to_a_server() { meant_ = purpose::client; return *this; }

  /** Refused with this result of OpenSSL's (`X509_V_ERR_…`), and this in the error's text. */
  verification_case& refused(int result, std::string words) {
    result_ = result;
    words_ = std::move(words);
    return *this;
  }

  std::string const& topic() const noexcept { return topic_; }
  std::string name() const { return topic_ + ": " + what_; }
  std::string const& host() const noexcept { return host_; }
  std::string const& chain() const noexcept { return chain_; }
  std::string const& key() const noexcept { return key_; }
  std::string const& roots() const noexcept { return roots_; }
  std::string const& lists() const noexcept { return lists_; }
  bool needs_whole_chain() const noexcept { return whole_chain_; }
  std::optional<int> depth() const noexcept { return depth_; }
  purpose meant() const noexcept { return meant_; }
  int result() const noexcept { return result_; }   ///< 0: it is accepted
  bool accepted() const noexcept { return result_ == 0; }
  std::string const& words() const noexcept { return words_; }

  /** Returns a context of the end that shows the chain, however weak its keys and signatures are:
      a server's, or a client's that verifies nobody. */
  server_context showing_server(protocol versions) const;
  client_context showing_client(protocol versions) const;

  /** Gives a context the authorities, lists and limits. */
  template <class Context>
  Context& apply_to(Context& verifying) const {
    verifying.add_roots(roots_ + lists_);
    if (whole_chain_) verifying.set_revocation(revocation_options().whole_chain());
    if (depth_) verifying.set_verify_depth(*depth_);
    return verifying;
  }

 private:
  std::string topic_;
  std::string what_;
  std::string host_;
  std::string chain_;
  std::string key_;
  std::string roots_;
  std::string lists_;
  bool whole_chain_ = false;
  std::optional<int> depth_;
  purpose meant_ = purpose::server;
  int result_ = 0;
  std::string words_;
};

using verification_cases = std::vector<verification_case>;

/** For which names and addresses a certificate is. */
void add_name_cases(verification_cases& to);
void add_wildcard_cases(verification_cases& to);

/** Whose chain is trusted: dates, roots, signatures; the way to a root; what each certificate may be
    used for, and what authorities may vouch for. */
void add_trust_cases(verification_cases& to);
void add_path_cases(verification_cases& to);
void add_constraint_cases(verification_cases& to);

/** What revocation lists say. */
void add_revocation_cases(verification_cases& to);

/** All of them, made at the first call. */
verification_cases const& all_verification_cases();

}  // namespace cotls::test
