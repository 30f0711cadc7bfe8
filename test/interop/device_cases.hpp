#pragma once

#include "soft_device.hpp"

namespace cotls::test {

/** A key in a device, and what its certificate's other peers have. */
class device_key {
 public:
  device_key(soft_device& in, entity const& whose)
      : device_(in), whose_(whose), uri_(in.keep(whose)) {}

  std::string const& uri() const noexcept { return uri_; }
  private_key load() const { return private_key::from_uri(uri_, device_.pin()); }

  /** Returns the chain with the key that is in the device. */
  cotls::identity identity() const {
    return cotls::identity(certificate_chain::from_pem(whose_.pem.chain()), load());
  }
  server_context serve() const { return server_context().use(identity()); }
  client_context show() const {
    return certificates::trust(certificates::all().root).use(identity());
  }

 private:
  soft_device& device_;
  entity const& whose_;
  std::string uri_;
};

// What is so of every device.

void curl_fetches_a_page_of_its_server(device_key const& key, version asked);
void s_client_verifies_its_server(device_key const& key, version asked);
void s_server_verifies_its_client(device_key const& key, version asked);
void serves_several_at_once(device_key const& key);
void it_leaves_its_device_as_a_signature_alone(device_key const& key);
void it_is_refused_with_the_certificate_of_another(device_key const& key, entity const& another);
void a_uri_of_nothing_is_named(soft_device& device);
void a_uri_is_of_an_unknown_scheme_without_the_provider(soft_device& device,
                                                         device_key const& key);

}  // namespace cotls::test
