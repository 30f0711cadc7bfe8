// Who gives way to whom, without a connection.

#include <cotls/detail/listen/handshake_room.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

namespace cotls::test::handshake_room_test {

namespace {

using detail::handshake_room;
using mercy = handshake_room::mercy;
using namespace std::chrono_literals;

handshake_room::clock::time_point now;
handshake_room::clock::time_point tell_time() noexcept { return now; }

struct fixture {
  std::shared_ptr<handshake_room> room = make(3);
  std::string cut;   // the names of those that were, in order

  static std::shared_ptr<handshake_room> make(std::size_t seats,
                                              handshake_room::clock::duration patience = 1h) {
    return std::make_shared<handshake_room>(seats, patience, 100ms, tell_time);
  }

  bool full() const { return !room->make_room(mercy::all_but_refused); }

  std::unique_ptr<handshake_room::seat> enter(char name) {
    return room->enter([this, name] { cut += name; });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rooms, fixture)

BOOST_AUTO_TEST_CASE(a_room_is_full_until_somebody_leaves) {
  auto const a = enter('a');
  auto const b = enter('b');
  BOOST_TEST(!full());
  auto c = enter('c');
  BOOST_TEST(full());
  c->leave();
  BOOST_TEST(!full());
  c->leave();   // again, and once more with its end
  c.reset();
  auto const d = enter('d');
  BOOST_TEST(full());
}

BOOST_AUTO_TEST_CASE(the_silent_give_way_first_the_oldest_of_them_before_the_others) {
  auto const a = enter('a');
  auto const b = enter('b');
  auto const c = enter('c');
  BOOST_TEST(a->awaits(1));
  BOOST_TEST(c->awaits(0));
  BOOST_TEST(b->awaits(0));
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(!room->displace(mercy::progress));
  BOOST_TEST(cut == "bca");
}

BOOST_AUTO_TEST_CASE(then_those_who_have_sent_least) {
  auto const a = enter('a');
  auto const b = enter('b');
  auto const c = enter('c');
  a->awaits(7);
  b->awaits(2);
  c->awaits(2);
  for (int i = 0; i < 3; ++i) BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(cut == "bca");
}

BOOST_AUTO_TEST_CASE(never_one_that_makes_progress_or_waits_for_the_program) {
  auto const a = enter('a');
  auto const b = enter('b');
  BOOST_TEST(a->answers());
  BOOST_TEST(b->awaits(0));
  BOOST_TEST(b->holds());
  BOOST_TEST(!room->displace(mercy::progress));
  BOOST_TEST(cut.empty());
}

BOOST_AUTO_TEST_CASE(one_that_was_answered_long_ago_gives_way_last) {
  room = make(3, 10s);
  auto const a = enter('a');
  auto const b = enter('b');
  a->answers();
  b->awaits(5);
  BOOST_TEST((room->next_out_of_patience() == now + 10s));
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(!room->displace(mercy::progress));
  BOOST_TEST(cut == "b");
  now += 10s;
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(cut == "ba");
}

BOOST_AUTO_TEST_CASE(those_that_were_refused_make_room_whatever_the_policy) {
  auto const a = enter('a');
  auto const b = enter('b');
  auto const c = enter('c');
  a->awaits(0);
  BOOST_TEST(!room->displace(mercy::all_but_refused));
  b->refuses();
  c->refuses();
  BOOST_TEST(room->displace(mercy::progress));
  room->cut_refused();
  BOOST_TEST(cut == "bc");
}

BOOST_AUTO_TEST_CASE(who_was_displaced_is_told_and_takes_no_seat) {
  auto const a = enter('a');
  auto const b = enter('b');
  auto const c = enter('c');
  a->awaits(0);
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(!full());
  BOOST_TEST(!a->awaits(1));
  BOOST_TEST(!a->answers());
  BOOST_TEST(!a->refuses());
  BOOST_TEST(!room->displace(mercy::progress));
  a->leave();
  BOOST_TEST(a->answers());   // of what has left, nothing is to be ended
}

BOOST_AUTO_TEST_CASE(a_transport_that_the_program_has_is_not_cut) {
  auto const a = enter('a');
  a->expose();
  a->awaits(0);
  BOOST_TEST(!room->displace(mercy::progress));
  a->refuses();
  BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(cut.empty());
}

BOOST_AUTO_TEST_CASE(one_whose_hello_may_be_on_its_way_is_spared_for_those_that_drip) {
  auto const a = enter('a');
  auto const b = enter('b');
  a->awaits(1);
  b->awaits(1);
  now += 100ms;
  auto const c = enter('c');
  c->awaits(0);
  for (int i = 0; i < 3; ++i) BOOST_TEST(room->displace(mercy::progress));
  BOOST_TEST(cut == "abc");
}

BOOST_AUTO_TEST_CASE(a_change_is_reported_once_to_whom_there_was_no_room_for) {
  room = make(2);
  int reports = 0;
  auto const is_room = [&] {
    return room->make_room(mercy::all_but_refused, [&] { ++reports; });
  };
  auto const a = enter('a');
  auto const b = enter('b');
  BOOST_TEST(!is_room());
  a->awaits(0);   // may give way
  BOOST_TEST(reports == 1);
  a->awaits(1);
  BOOST_TEST(reports == 1);
  BOOST_TEST(!is_room());
  b->leave();
  BOOST_TEST(reports == 2);
  BOOST_TEST(is_room());   // and nothing to be told of
  a->leave();
  BOOST_TEST(reports == 2);
}

BOOST_AUTO_TEST_CASE(a_seat_may_outlive_its_room) {
  auto const a = enter('a');
  room.reset();
  BOOST_TEST(a->awaits(0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::handshake_room_test
