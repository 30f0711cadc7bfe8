#include "session_keeper.hpp"

#include "explained.hpp"

#include <iostream>

namespace cotls::tool {

namespace {

void warn_of_session(error const& failed) {
  std::cerr << "warning: " + explained(failed) + '\n' << std::flush;
}

}  // namespace

session_keeper::session_keeper(std::string const& file)
    : file_(std::make_shared<session_file const>(file)) {}

void session_keeper::offer(connect_options& by) const {
  try {
    if (auto const kept = file_->take()) by.session(*kept);
  } catch (error const& failed) {
    warn_of_session(failed);
  }
}

void session_keeper::keep(client_context& of) const {
  of.on_session([file = file_](cotls::session const& newest) {
    try {
      file->put(newest);
    } catch (error const& failed) {
      warn_of_session(failed);
    }
  });
}

}  // namespace cotls::tool
