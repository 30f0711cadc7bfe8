#pragma once

#include <cotls/identity.hpp>

#include "settings.hpp"

#include <string>

namespace bench {

/** Where a server has its key, in words. */
std::string to_string(key_place value);

/** Returns the server's identity with its key where the settings have it. The process that keeps it
    elsewhere ends with this one. */
cotls::identity signing_identity(settings const& given);

}  // namespace bench
