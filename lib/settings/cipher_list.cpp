// A list goes through three sieves before it is set, each on a context of its own (the trial):
//
//   each word alone    -> does OpenSSL know it?
//   the whole list     -> is it one?
//   what it selects    -> does each suite encrypt, and verify somebody?

#include "settings/cipher_list.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/trial_context.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace cotls::detail {

namespace {

// Words for kinds of suites that a build of OpenSSL may have none of, which it then takes for
// unknown ones: to exclude what is not there is no mistake. (openssl-ciphers(1), and its forebears)
constexpr auto kinds = std::to_array<std::string_view>({
    "3DES", "AECDH", "ADH", "AESCCM", "AESCCM8", "ARIA", "ARIA128", "ARIA256", "ARIAGCM",
    "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "CBC", "CHACHA20", "DES", "DH", "DHE", "DSS", "EDH",
    "EXP", "EXPORT", "EXPORT40", "EXPORT56", "FIPS", "GOST12", "GOST2012", "GOST89", "GOST89MAC",
    "GOST94", "IDEA", "KRB5", "LOW", "MD5", "MEDIUM", "NULL", "PSK", "RC2", "RC4", "SEED", "SRP",
    "SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "aDSS", "aECDH", "aGOST", "aGOST01", "aGOST12", "aKRB5",
    "aNULL", "aPSK", "aSRP", "eNULL", "kDHEPSK", "kECDHEPSK", "kGOST", "kPSK", "kRSAPSK", "kSRP"});

[[noreturn]] void refuse_word(std::string_view word, std::string_view why = {}) {
  fail(errc::invalid_setting,
       "setting the cipher suite \"" + std::string(word) + '"' + std::string(why));
}

// Takes the next word off a list; empty at the end of it.
std::string_view next_word(std::string_view& list, std::string_view separators) {
  list.remove_prefix(std::min(list.find_first_not_of(separators), list.size()));
  std::string_view const word = list.substr(0, list.find_first_of(separators));
  list.remove_prefix(word.size());
  return word;
}

// From OpenSSL 4 on, words may be written in small letters, too.
bool begins_with(std::string_view word, std::string_view capitals) {
  auto const same = [](char one, char capital) {
    return one == capital || (one >= 'a' && one <= 'z' && one - 'a' + 'A' == capital);
  };
  return word.size() >= capitals.size() &&
         std::equal(capitals.begin(), capitals.end(), word.begin(),
                    [&](char capital, char one) { return same(one, capital); });
}

// A word that only means something at the beginning of a list; elsewhere OpenSSL skips it.
bool is_opening(std::string_view word) {
  return begins_with(word, "DEFAULT") || begins_with(word, "SUITEB");
}

bool selects_something(SSL_CTX* trial, std::string_view word) {
  bool const found = SSL_CTX_set_cipher_list(trial, std::string(word).c_str()) == 1;
  clear_openssl_errors();
  return found;
}

bool is_known(SSL_CTX* trial, std::string_view word) {
  bool const kind = std::find(kinds.begin(), kinds.end(), word) != kinds.end();
  return kind || (!is_opening(word) && selects_something(trial, word));
}

bool is_known_opening(SSL_CTX* trial, std::string_view word, std::string_view rest) {
  // After one of these OpenSSL heeds nothing more.
  if (begins_with(word, "SUITEB")) return rest.empty() && selects_something(trial, word);
  return begins_with(word, "DEFAULT") && word.size() == 7 && selects_something(trial, word);
}

void check_words(SSL_CTX* trial, std::string_view list) {
  constexpr std::string_view separators = ":, ;";
  bool first = true;
  for (;;) {
    std::string_view const rule = next_word(list, separators);
    if (rule.empty()) return;
    bool const opens = std::exchange(first, false) && is_known_opening(trial, rule, list);
    if (opens || rule.front() == '@') continue;   // OpenSSL refuses commands that it does not know
    std::string_view parts = rule;
    if (std::string_view("!-+").find(rule.front()) != std::string_view::npos) {
      parts.remove_prefix(1);
    }
    if (parts.empty()) refuse_word(rule);
    while (!parts.empty()) {
      std::string_view const word = next_word(parts, "+");
      if (!is_known(trial, word)) refuse_word(rule);
    }
  }
}

bool is_modern(SSL_CIPHER const* suite) {
  return SSL_CIPHER_is_aead(suite) == 1 && SSL_CIPHER_get_kx_nid(suite) == NID_kx_ecdhe &&
         SSL_CIPHER_get_auth_nid(suite) != NID_auth_null;
}

// Those of TLS 1.3 are another list.
bool is_before_tls13(SSL_CIPHER const* suite) {
  return SSL_CIPHER_get_protocol_id(suite) >> 8 != 0x13;
}

std::string names_of_suites(SSL_CTX const* of, bool (*wanted)(SSL_CIPHER const*)) {
  STACK_OF(SSL_CIPHER) const* const all = SSL_CTX_get_ciphers(of);
  std::string names;
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    SSL_CIPHER const* const suite = sk_SSL_CIPHER_value(all, i);
    if (!wanted(suite)) continue;
    if (!names.empty()) names += ':';
    names += SSL_CIPHER_get_name(suite);
  }
  return names;
}

// OpenSSL takes every name that there is, and then leaves out whose algorithms it does not have.
void check_words_of_tls13(SSL_CTX* trial, std::string_view list) {
  auto const is_of_tls13 = [](SSL_CIPHER const* suite) { return !is_before_tls13(suite); };
  for (;;) {
    std::string_view const word = next_word(list, ":");
    if (word.empty()) return;
    bool const known = SSL_CTX_set_ciphersuites(trial, std::string(word).c_str()) == 1 &&
                       !names_of_suites(trial, is_of_tls13).empty();
    clear_openssl_errors();
    if (!known) refuse_word(word);
  }
}

}  // namespace

// At the levels above 0 OpenSSL negotiates nothing that verifies nobody, whatever is listed: "ALL"
// lists it. At level 0 a client would accept anyone, whatever its context asks of a certificate.
void check_selected_suites(SSL_CTX* context) {
  STACK_OF(SSL_CIPHER) const* const selected = SSL_CTX_get_ciphers(context);
  bool const anonymous_too = SSL_CTX_get_security_level(context) == 0;
  for (int i = 0; i < sk_SSL_CIPHER_num(selected); ++i) {
    SSL_CIPHER const* const suite = sk_SSL_CIPHER_value(selected, i);
    char const* const name = SSL_CIPHER_get_name(suite);
    if (SSL_CIPHER_get_bits(suite, nullptr) == 0) {
      refuse_word(name, ", which encrypts nothing (exclude it by !eNULL),");
    }
    if (anonymous_too && SSL_CIPHER_get_auth_nid(suite) == NID_auth_null) {
      refuse_word(name, ", by which nobody is verified (exclude it by !aNULL),");
    }
  }
}

bool keep_modern_suites(SSL_CTX* context) {
  std::string const modern = names_of_suites(context, is_modern);
  if (!modern.empty()) return SSL_CTX_set_cipher_list(context, modern.c_str()) == 1;
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1;
}

int check_cipher_lists(SSL_CTX* like, std::string const& tls12, std::string const& tls13) {
  ssl_ctx_ptr const words = make_trial_context(like);
  check_words(words.get(), tls12);
  check_words_of_tls13(words.get(), tls13);
  ssl_ctx_ptr const whole = make_trial_context(like);
  apply_cipher_lists(whole.get(), tls12, tls13);
  check_selected_suites(whole.get());
  return SSL_CTX_get_security_level(whole.get());
}

void copy_suites(SSL_CTX* from, SSL_CTX* to) {
  std::string const names = names_of_suites(from, is_before_tls13);
  apply_cipher_lists(to, names, {});
}

void apply_cipher_lists(SSL_CTX* context, std::string const& tls12, std::string const& tls13) {
  clear_openssl_errors();
  bool const taken = (tls12.empty() || SSL_CTX_set_cipher_list(context, tls12.c_str()) == 1) &&
                     (tls13.empty() || SSL_CTX_set_ciphersuites(context, tls13.c_str()) == 1);
  if (taken) return;
  throw_openssl_error(errc::invalid_setting,
                      "setting the cipher suites \"" + tls12 + "\" and \"" + tls13 + '"');
}

}  // namespace cotls::detail
