#include <cotls/identity.hpp>

#include "identity/chain_key.hpp"

#include <utility>

namespace cotls {

identity::identity(certificate_chain chain, private_key key)
    : chain_(std::move(chain)), key_(std::move(key)) {
  detail::check_key_of(chain_, key_.native_handle(), "pairing a certificate chain and a private key");
}

}  // namespace cotls
