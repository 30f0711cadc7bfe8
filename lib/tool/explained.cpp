#include "explained.hpp"

#include <array>
#include <string_view>

namespace cotls::tool {

namespace {

struct remedy {
  errc code;
  std::string_view text;
};

constexpr std::array remedies{
    remedy{errc::no_host_name, "there is no host name to verify: give it with --servername"},
    remedy{errc::unsupported_protocol,
           "this OpenSSL, or its configuration, does not speak the version asked for"},
    remedy{errc::no_certificate, "both --cert and its private key, --key, are needed"},
    remedy{errc::no_private_key_found,
           "no private key was found: check the file of --key, or of --cert without it"},
    remedy{errc::password_required,
           "the private key is encrypted: give its password with --password-file"},
    remedy{errc::no_roots, "there are no authorities to verify clients with: give --client-ca"},
    remedy{errc::client_hello_too_long, "the client's first message is longer than any should be"},
    remedy{errc::overloaded, "the server has as many handshakes in progress as it may"},
    remedy{errc::displaced, "the handshake gave way to newer connections"},
    remedy{errc::no_channel_binding, "this channel binding is not defined for the connection"},
    remedy{errc::peer_not_allowed, "the peer is not allowed"},
    remedy{errc::no_pinned_key, "the server's chain has none of the pinned keys"},
    remedy{errc::unserved_host, "the client asked for a host that is not served"},
    remedy{errc::needs_tls_1_3, "the connection speaks TLS 1.2, which has no such thing"},
    remedy{errc::hook_failed, "the program could not say what becomes of the peer"},
    remedy{errc::no_ocsp_response, "the server sent no OCSP response, and must"},
};

// What the library calls things that have an option here.
struct renamed {
  std::string_view there;
  std::string_view here;
};

constexpr std::array names{
    renamed{"set_ciphers(\"DEFAULT\")", "--ciphers DEFAULT"},
    renamed{"set_ciphers", "--ciphers"},
    renamed{"set_groups", "--groups"},
    renamed{"set_alpn", "--alpn"},
    renamed{"set_verify", "--insecure"},
    renamed{"verify::none", "--insecure"},
    renamed{"key_options::password", "--password-file"},
    renamed{": set_late_authentication at its end", ""},
};

void replace_all(std::string& in, std::string_view from, std::string_view to) {
  for (auto at = in.find(from); at != std::string::npos; at = in.find(from, at + to.size())) {
    in.replace(at, from.size(), to);
  }
}

}  // namespace

std::string explained(error const& failed) {
  std::string text = failed.what();
  for (remedy const& one : remedies) {
    if (failed.code() == one.code) replace_all(text, failed.code().message(), one.text);
  }
  // The code's own name, in brackets at the end, is for programs and stays.
  std::string code;
  if (std::size_t const bracket = text.rfind(" ["); bracket != std::string::npos) {
    code = text.substr(bracket);
    text.erase(bracket);
  }
  for (renamed const& one : names) replace_all(text, one.there, one.here);
  return text + code;
}

std::string reason_of(error const& failed) {
  std::string const whole = explained(failed);
  constexpr std::string_view mark = " failed: ";
  std::size_t const at = whole.find(mark);
  return at == std::string::npos ? whole : whole.substr(at + mark.size());
}

}  // namespace cotls::tool
