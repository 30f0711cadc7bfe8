#include "programs.hpp"

#include "pki.hpp"

#include <boost/asio/buffer.hpp>

namespace cotls::test {

namespace {

authority const& root() {
  static authority const made("Beast's authority");
  return made;
}

issued const& localhost() {
  static issued const made = root().issue(certificate_request({"localhost"}));
  return made;
}

}  // namespace

boost::asio::ssl::context trusting_context() {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
  context.add_certificate_authority(boost::asio::buffer(root().pem()));
  context.set_verify_mode(boost::asio::ssl::verify_peer);
  return context;
}

boost::asio::ssl::context serving_context() {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
  context.set_options(boost::asio::ssl::context::default_workarounds |
                      boost::asio::ssl::context::no_sslv2 |
                      boost::asio::ssl::context::single_dh_use);
  context.set_password_callback(
      [](std::size_t, boost::asio::ssl::context_base::password_purpose) { return "unused"; });
  context.use_certificate_chain(boost::asio::buffer(localhost().chain()));
  context.use_private_key(boost::asio::buffer(localhost().key),
                          boost::asio::ssl::context::file_format::pem);
  return context;
}

std::string answer_to(std::string const& text) { return "you said " + text; }

}  // namespace cotls::test
