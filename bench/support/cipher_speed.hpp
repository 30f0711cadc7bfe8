#pragma once

#include "settings.hpp"

namespace bench {

/** Measures what the cipher alone takes, in CPU seconds per byte: to seal records of 16 KiB in
    place, and to open them, with OpenSSL's EVP calls and nothing around them. */
double seconds_to_seal_and_open(settings const& given);

}  // namespace bench
