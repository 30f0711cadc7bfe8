#pragma once

#include <cotls/connect_options.hpp>
#include <cotls/context.hpp>
#include <cotls/session_file.hpp>

#include <memory>
#include <string>

namespace cotls::tool {

/** Has a client resume the session of a file, and keeps there the newest that its server gives.
    Trouble with the file costs a full handshake and is said on standard error. */
class session_keeper {
 public:
  explicit session_keeper(std::string const& file);

  /** Offers the session of the file, if there is one. */
  void offer(connect_options& by) const;

  /** Keeps what comes to the connections of a context, which is not sealed yet. */
  void keep(client_context& of) const;

 private:
  std::shared_ptr<session_file const> file_;
};

}  // namespace cotls::tool
