#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace bench {

namespace {

constexpr std::size_t bar_width = 24;

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

progress::progress(std::size_t steps)
    : shown_(::isatty(STDERR_FILENO) == 1), steps_(std::max<std::size_t>(steps, 1)) {}

void progress::next(std::string const& what) {
  if (shown_) {
    std::size_t const full = bar_width * begun_ / steps_;
    std::string text(1, '[');
    text.append(full, '#').append(bar_width - full, '.').append("] ");
    text.append(std::to_string(100 * begun_ / steps_)).append("%");
    text.append(time_left()).append("  ").append(what);
    text.resize(std::min(text.size(), terminal_width() - 1));
    std::cerr << "\r\033[K" << text << std::flush;
  }
  ++begun_;
}

void progress::clear() const {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
}

std::string progress::time_left() const {
  if (begun_ == 0) return {};
  auto const left = (clock::now() - start_) / begun_ * (steps_ - begun_);
  auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  return ", " + std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s left";
}

}  // namespace bench
