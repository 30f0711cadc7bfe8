#include <cotls/ticket_keys.hpp>

#include "session/ticket_key_ring.hpp"

#include <ctime>
#include <utility>

namespace cotls {

using detail::ticket_key_ring;

ticket_keys::ticket_keys() : ticket_keys(ticket_key_options()) {}

ticket_keys::ticket_keys(ticket_key_options const& options)
    : ring_(std::make_shared<ticket_key_ring>(options)) {}

ticket_keys::ticket_keys(std::shared_ptr<ticket_key_ring> ring) noexcept : ring_(std::move(ring)) {}

ticket_keys ticket_keys::from_secret(std::span<unsigned char const> secret, std::string_view scope,
                                     ticket_key_options const& options) {
  return ticket_keys(std::make_shared<ticket_key_ring>(secret, scope, options));
}

ticket_keys ticket_keys::from_bytes(std::span<unsigned char const> bytes) {
  return ticket_keys(ticket_key_ring::from_bytes(bytes));
}

std::vector<unsigned char> ticket_keys::bytes() const { return ring_->to_bytes(); }

void ticket_keys::replace(std::span<unsigned char const> bytes) { ring_->replace(bytes); }

void ticket_keys::rotate() { ring_->rotate(std::time(nullptr)); }

std::chrono::seconds ticket_keys::lasting() const noexcept { return ring_->lasting(); }

}  // namespace cotls
