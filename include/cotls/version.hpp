#pragma once

/** The version of these headers (semantic versioning). The build and the installed packages read
    it from here. */
#define COTLS_VERSION_MAJOR 0
#define COTLS_VERSION_MINOR 1
#define COTLS_VERSION_PATCH 0

/** The version as one number that compares: `#if COTLS_VERSION >= 10200` asks for 1.2.0. */
#define COTLS_VERSION \
  (COTLS_VERSION_MAJOR * 10000 + COTLS_VERSION_MINOR * 100 + COTLS_VERSION_PATCH)

/** The version as a string literal: `"1.2.0"`. */
#define COTLS_VERSION_STRING \
  COTLS_DETAIL_VERSION_TEXT(COTLS_VERSION_MAJOR, COTLS_VERSION_MINOR, COTLS_VERSION_PATCH)
#define COTLS_DETAIL_VERSION_TEXT(major, minor, patch) \
  COTLS_DETAIL_QUOTE(major) "." COTLS_DETAIL_QUOTE(minor) "." COTLS_DETAIL_QUOTE(patch)
#define COTLS_DETAIL_QUOTE(text) #text
