// OpenSSL takes a list whole or not at all, and does not say which name it has stumbled over: each
// is tried alone first.

#include "settings/name_list.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/trial_context.hpp"

#include <openssl/ssl.h>

#include <string_view>

namespace cotls::detail {

namespace {

// What lists of one kind are called, and how OpenSSL is given one.
struct list_kind {
  std::string_view one;
  std::string_view all;
  bool (*set)(SSL_CTX* to, std::string const& list);
};

constexpr list_kind groups{
    "group", "groups", [](SSL_CTX* to, std::string const& list) {
      return SSL_CTX_set1_groups_list(to, list.c_str()) == 1;
    }};

constexpr list_kind signatures{
    "signature algorithm", "signature algorithms", [](SSL_CTX* to, std::string const& list) {
      return SSL_CTX_set1_sigalgs_list(to, list.c_str()) == 1;
    }};

std::string doing(std::string_view kind, std::string_view text) {
  return "setting the " + std::string(kind) + " \"" + std::string(text) + '"';
}

// A name and the marks before it, of which OpenSSL 3.5 has two more: a key share is sent, and the
// group is taken off the list.
struct marked_name {
  bool optional = false;
  std::string marks;
  std::string name;
};

marked_name read_name(std::string_view word) {
  marked_name read;
  while (!word.empty() && std::string_view("?*-").find(word.front()) != std::string_view::npos) {
    if (word.front() == '?') {
      read.optional = true;
    } else {
      read.marks += word.front();
    }
    word.remove_prefix(1);
  }
  read.name = word;
  return read;
}

bool is_known(SSL_CTX* trial, list_kind const& kind, std::string const& name) {
  bool const known = !name.empty() && kind.set(trial, name);
  clear_openssl_errors();
  return known;
}

std::string known_names(SSL_CTX const* like, list_kind const& kind, std::string const& list) {
  ssl_ctx_ptr const trial = make_trial_context(like);
  std::string known;
  std::string_view rest = list;
  char separator = ':';
  for (;;) {
    // From OpenSSL 3.5 on a slash ends a tuple of groups that are preferred alike.
    std::size_t const end = rest.find_first_of(":/");
    std::string_view const word = rest.substr(0, end);
    marked_name const read = read_name(word);
    if (is_known(trial.get(), kind, read.name)) {
      if (!known.empty()) known += separator;
      known += read.marks + read.name;
      separator = ':';
    } else if (!read.optional || read.name.empty()) {
      fail(errc::invalid_setting, doing(kind.one, word));
    }
    if (end == std::string_view::npos) break;
    if (rest[end] == '/') separator = '/';
    rest.remove_prefix(end + 1);
  }
  if (known.empty()) {
    fail(errc::invalid_setting, doing(kind.all, list) + ", none of which there is,");
  }
  clear_openssl_errors();
  if (!kind.set(trial.get(), known)) {
    throw_openssl_error(errc::invalid_setting, doing(kind.all, list));
  }
  return known;
}

}  // namespace

std::string known_groups(SSL_CTX const* like, std::string const& list) {
  return known_names(like, groups, list);
}

std::string known_signatures(SSL_CTX const* like, std::string const& list) {
  return known_names(like, signatures, list);
}

}  // namespace cotls::detail
