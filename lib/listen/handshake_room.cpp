#include <cotls/detail/listen/handshake_room.hpp>

#include <algorithm>

namespace cotls::detail {

handshake_room::handshake_room(std::size_t seats, clock::duration patience, clock::duration grace,
                               clock::time_point (*now)() noexcept) noexcept
    : seats_(seats), patience_(patience), grace_(grace), now_(now) {}

auto handshake_room::enter(std::function<void()> cut) -> std::unique_ptr<seat> {
  occupants fresh(1);
  fresh.front().cut = std::move(cut);
  fresh.front().in = &seated_;
  auto made = std::make_unique<seat>(shared_from_this(), fresh.begin());
  std::scoped_lock const lock(mutex_);
  seated_.splice(seated_.end(), fresh);
  return made;
}

// In one go: who leaves between the look and the wish to be told would not be reported.
bool handshake_room::make_room(mercy shown, std::function<void()> report) {
  std::scoped_lock const lock(mutex_);
  if (seated_.size() + refused_.size() < seats_ || cut_one(shown)) return true;
  if (report) report_ = std::move(report);
  return false;
}

bool handshake_room::displace(mercy shown) {
  std::scoped_lock const lock(mutex_);
  return cut_one(shown);
}

bool handshake_room::cut_one(mercy shown) {
  auto const gone = next_to_go(shown);
  if (gone == seated_.end()) return false;
  move(gone, displaced_);
  if (!gone->exposed) gone->cut();
  return true;
}

void handshake_room::cut_refused() {
  while (displace(mercy::all_but_refused)) {
  }
}

auto handshake_room::next_out_of_patience() const -> clock::time_point {
  std::scoped_lock const lock(mutex_);
  auto first = clock::time_point::max();
  for (occupant const& each : seated_) {
    if (each.at == stage::answered && !each.exposed) first = std::min(first, each.since + patience_);
  }
  return first;
}

auto handshake_room::next_to_go(mercy shown) -> occupants::iterator {
  if (!refused_.empty()) return refused_.begin();
  auto const none = seated_.end();
  if (shown == mercy::all_but_refused) return none;
  auto const now = now_();
  auto least = none;
  auto newcomer = none;   // the least of those
  auto late = none;
  for (auto it = seated_.begin(); it != none; ++it) {
    if (it->exposed) continue;
    if (it->at == stage::awaited) {
      bool const is_new = it->since > now - grace_;
      if (it->sent == 0 && !is_new) return it;
      auto& found = is_new ? newcomer : least;
      if (found == none || it->sent < found->sent) found = it;
    } else if (it->at == stage::answered && it->since <= now - patience_) {
      if (late == none || it->since < late->since) late = it;
    }
  }
  return least != none ? least : newcomer != none ? newcomer : late;
}

void handshake_room::move(occupants::iterator one, occupants& to) noexcept {
  to.splice(to.end(), *one->in, one);
  one->in = &to;
}

bool handshake_room::seat::move_to(stage at, std::size_t sent) noexcept {
  std::function<void()> report;
  {
    std::scoped_lock const lock(room_->mutex_);
    if (left_) return true;
    if (self_->in == &room_->displaced_) return false;
    bool const may_go = self_->at == stage::held && at != stage::held;
    if (self_->at != at) self_->since = room_->now_();
    self_->at = at;
    self_->sent = sent;
    if (at == stage::refused) room_->move(self_, room_->refused_);
    if (may_go || at == stage::refused) report.swap(room_->report_);
  }
  if (report) report();
  return true;
}

void handshake_room::seat::expose() noexcept {
  std::scoped_lock const lock(room_->mutex_);
  if (!left_) self_->exposed = true;
}

void handshake_room::seat::leave() noexcept {
  std::function<void()> report;
  {
    std::scoped_lock const lock(room_->mutex_);
    if (std::exchange(left_, true)) return;
    self_->in->erase(self_);
    report.swap(room_->report_);
  }
  if (report) report();
}

}  // namespace cotls::detail
