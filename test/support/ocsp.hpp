#pragma once

#include "pki.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace cotls::test {

enum class revocation_status { good, revoked, unknown };

/** What an OCSP response is to say of a certificate, and who is to sign it. */
class ocsp_answer {
 public:
  /** One that is good, of an hour ago until in a day, signed by the authority. */
  ocsp_answer(cotls::certificate of, authority by) : of_(std::move(of)), by_(std::move(by)) {}

  ocsp_answer& says(revocation_status status) { status_ = status; return *this; }

  /** Validity, from now; without an end if there is none. */
  ocsp_answer& valid(std::chrono::seconds from, std::optional<std::chrono::seconds> until) {
    from_ = from;
    until_ = until;
    return *this;
  }

  /** Is signed by this certificate's key, which is in the response. */
  ocsp_answer& signed_by(issued responder) { responder_ = std::move(responder); return *this; }

  /** Names certificates by SHA-256, not SHA-1. */
  ocsp_answer& with_sha256() { sha256_ = true; return *this; }

  std::string der() const;

 private:
  cotls::certificate of_;
  authority by_;
  revocation_status status_ = revocation_status::good;
  std::chrono::seconds from_ = -std::chrono::hours(1);
  std::optional<std::chrono::seconds> until_ = std::chrono::hours(24);
  std::optional<issued> responder_;
  bool sha256_ = false;
};

/** An answer that says that the responder has failed (RFC 6960 section 2.3). */
std::string failed_ocsp_response();

}  // namespace cotls::test
