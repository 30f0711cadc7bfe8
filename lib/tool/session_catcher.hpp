#pragma once

#include <cotls/context.hpp>

#include <functional>
#include <memory>

struct ssl_session_st;

namespace cotls::tool {

/** Keeps the newest session that servers give to the clients of a context, in place of the
    context's own cache: that one does not say when a session comes, and offers none of a server
    whose certificate has expired. */
class session_catcher {
 public:
  /** @param context  Not sealed yet; the catcher outlives its connections. */
  explicit session_catcher(client_context const& context);
  session_catcher(session_catcher const&) = delete;
  session_catcher& operator=(session_catcher const&) = delete;

  /** Calls the function whenever a session arrives. */
  void on_arrival(std::function<void()> function) { arrived_ = std::move(function); }

  /** Returns a session that can be offered to the server, or null. */
  ssl_session_st* session() const noexcept;

 private:
  struct session_deleter {
    void operator()(ssl_session_st* session) const noexcept;
  };

  void take(ssl_session_st* session);

  std::unique_ptr<ssl_session_st, session_deleter> session_;
  std::function<void()> arrived_;
};

}  // namespace cotls::tool
