#pragma once

#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>

#include <cstdint>
#include <vector>

struct ssl_st;

namespace cotls::tool {

/** Keeps what is seen in the handshakes of a context's connections, also when one fails: a failed
    connection is gone, and what its peer had said with it. */
class handshake_witness {
 public:
  /** @param context  Not sealed yet; the witness outlives its connections. */
  explicit handshake_witness(client_context const& context);
  handshake_witness(handshake_witness const&) = delete;
  handshake_witness& operator=(handshake_witness const&) = delete;

  /** Tells whether a handshake has begun: whatever fails before that is of the network. */
  bool began() const noexcept { return began_; }

  /** Returns what was agreed on; empty where the handshake did not come so far. */
  connection_info const& info() const noexcept { return info_; }

  /** Returns the certificates that the server sent; none that were not verified though they were
      to be. */
  std::vector<certificate> const& chain() const noexcept { return chain_; }

 private:
  void look_at(ssl_st* connection);

  bool began_ = false;
  connection_info info_;
  std::vector<certificate> chain_;
};

}  // namespace cotls::tool
