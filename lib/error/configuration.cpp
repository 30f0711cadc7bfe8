#include <cotls/detail/error/configuration.hpp>

namespace cotls::detail {

template <unsigned Boost, unsigned OpenSSL, unsigned Configuration>
int const built_with<Boost, OpenSSL, Configuration>::tag = 1;

template struct built_with<BOOST_VERSION, OPENSSL_VERSION_MAJOR, configuration>;

}  // namespace cotls::detail
