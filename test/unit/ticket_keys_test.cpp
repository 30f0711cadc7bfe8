// Keys of session tickets: who shares them, how long they last, and what changes them.

#include "engine_pair.hpp"
#include "failure_of.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "session/ticket_key_ring.hpp"
#include "temporary_directory.hpp"

#include <cotls/ticket_keys.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <thread>

namespace cotls::test::ticket_keys_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

using bytes_type = std::vector<unsigned char>;

bytes_type secret(unsigned char seed = 1) { return bytes_type(32, seed); }

// Servers of several processes, and a client that goes from one to the next.
struct fixture {
  authority root{"root"};
  authority clients{"clients"};
  issued shown = clients.issue(
      certificate_request({"client"}).use(purpose::client).valid(-1h, 24h * 30));
  identity one = server_identity({"server.test"});
  identity other = server_identity({"server.test"});   // of another machine
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();

  identity server_identity(std::vector<std::string> names) const {
    return root.issue(certificate_request(std::move(names)).valid(-1h, 24h * 30)).identity();
  }

  server_context make_server(identity const& as) const { return server_context().use(as); }

  client_context make_client(protocol version) const {
    return client_context(version).add_root(root.certificate()).use(shown.identity());
  }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  bool resumes(client_context const& client, server_context const& server) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(both->client.info().resumed == both->server.info().resumed);
    return both->server.info().resumed;
  }

  // Whether what the first server gives is resumed by the second.
  bool passes(server_context const& from, server_context const& to, protocol version) {
    client_context const client = make_client(version);
    BOOST_TEST(!resumes(client, from));
    return resumes(client, to);
  }

  std::optional<engine_pair> both;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keys_of_tickets, fixture)

BOOST_DATA_TEST_CASE_F(fixture, contexts_that_share_keys_resume_each_others_sessions, versions,
                       version) {
  ticket_keys const keys;
  server_context const first = make_server(one).set_ticket_keys(keys);
  server_context const second = make_server(other).set_ticket_keys(keys);
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, first));
  for (int again = 0; again < 3; ++again) {
    BOOST_TEST(resumes(client, second));
    BOOST_TEST(resumes(client, first));
  }
  BOOST_TEST(!passes(first, make_server(one), version));
  BOOST_TEST(!passes(first, make_server(one).set_ticket_keys(ticket_keys()), version));
}

BOOST_DATA_TEST_CASE_F(fixture, those_with_one_secret_have_the_same_keys, versions, version) {
  auto const with = [&](ticket_keys const& keys) { return make_server(one).set_ticket_keys(keys); };
  server_context const first = with(ticket_keys::from_secret(secret()));
  BOOST_TEST(passes(first, with(ticket_keys::from_secret(secret())), version));
  BOOST_TEST(!passes(first, with(ticket_keys::from_secret(secret(2))), version));
  BOOST_TEST(!passes(first, with(ticket_keys::from_secret(secret(), "scope")), version));
  BOOST_TEST(passes(with(ticket_keys::from_secret(secret(), "scope")),
                    with(ticket_keys::from_secret(secret(), "scope")), version));
  auto const hourly = ticket_key_options().new_key_after(13h);
  BOOST_TEST(!passes(first, with(ticket_keys::from_secret(secret(), "", hourly)), version));
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_for_other_names_resumes_none_of_these_sessions, versions,
                       version) {
  ticket_keys const keys;
  server_context const first = make_server(one).set_ticket_keys(keys);
  auto const named = [&](std::vector<std::string> names) {
    return make_server(server_identity(std::move(names))).set_ticket_keys(keys);
  };
  BOOST_TEST(!passes(first, named({"server.test", "more.test"}), version));
  BOOST_TEST(passes(named({"a.test", "server.test"}), named({"server.test", "a.test"}), version));
}

BOOST_DATA_TEST_CASE_F(fixture, a_context_has_keys_of_its_own_that_change, versions, version) {
  server_context const server = make_server(one);
  client_context const client = make_client(version);
  std::vector<std::string> names;
  for (auto const hours : {0h, 1h, 13h, 14h}) {
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(server.native_handle()),
                               std::chrono::system_clock::to_time_t(now + hours));
    BOOST_TEST(resumes(client, server) == (hours > 0h));
    unsigned char const* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(SSL_get_session(both->client.native_handle()), &ticket, &size);
    BOOST_REQUIRE(size > 16u);
    names.emplace_back(reinterpret_cast<char const*>(ticket), 16);
  }
  BOOST_TEST(names[0] == names[1]);
  BOOST_TEST(names[1] != names[2]);   // renewed
  BOOST_TEST(names[2] == names[3]);
}

BOOST_DATA_TEST_CASE_F(fixture, clocks_of_a_fleet_may_differ_by_a_little, versions, version) {
  auto const at = [&](std::chrono::seconds later) {
    return make_server(one)
        .set_ticket_keys(ticket_keys::from_secret(secret()))
        .set_verify_time(now + later);
  };
  BOOST_TEST(passes(at(12h), at(0h), version));   // of the next key
  BOOST_TEST(passes(at(0h), at(12h), version));
  BOOST_TEST(!passes(at(24h), at(0h), version));
}

BOOST_DATA_TEST_CASE_F(fixture, sessions_last_as_long_as_is_said, versions, version) {
  ticket_keys const keys;
  auto const at = [&](std::chrono::minutes later) {
    return make_server(one).set_ticket_keys(keys).set_session_lifetime(60min).set_verify_time(
        now + later);
  };
  BOOST_TEST(passes(at(0min), at(59min), version));
  BOOST_TEST(!passes(at(0min), at(61min), version));
  // However often one is renewed.
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, at(0min)));
  BOOST_TEST(resumes(client, at(40min)));
  BOOST_TEST(resumes(client, at(55min)));
  BOOST_TEST(!resumes(client, at(70min)));
  BOOST_TEST(resumes(client, at(129min)));
}

BOOST_DATA_TEST_CASE_F(fixture, they_last_a_day_unless_something_else_is_said, versions, version) {
  ticket_keys const keys;
  auto const at = [&](std::chrono::hours later) {
    return make_server(one).set_ticket_keys(keys).set_verify_time(now + later);
  };
  BOOST_TEST(passes(at(0h), at(23h), version));
  BOOST_TEST(!passes(at(0h), at(25h), version));
}

BOOST_DATA_TEST_CASE_F(fixture, keys_of_the_context_last_as_long_as_its_sessions, versions,
                       version) {
  server_context const server = make_server(one).set_session_lifetime(24h * 7);
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, server));
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(server.native_handle()),
                             std::chrono::system_clock::to_time_t(now + 24h * 6));
  BOOST_TEST(resumes(client, server));
}

BOOST_DATA_TEST_CASE_F(fixture, whoever_has_the_keys_verifies_the_client_for_himself, versions,
                       version) {
  ticket_keys const keys;
  temporary_directory const directory;
  auto const asking = [&] {
    return make_server(one).set_ticket_keys(keys).set_verify(verify::required);
  };
  server_context const first = asking().add_root(clients.certificate());
  BOOST_TEST(passes(first, asking().add_root(clients.certificate()), version));
  BOOST_TEST(both->server.peer().verified());
  BOOST_TEST(both->server.peer().subject() == "CN=client");

  authority const strangers("strangers");
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, first));
  BOOST_TEST(!connect(client, asking().add_root(strangers.certificate())));
  BOOST_TEST(!both->server.info().resumed);

  BOOST_TEST(!resumes(client, first));
  std::string const revoked = clients.revocation_list({shown.leaf()});
  BOOST_TEST(!connect(client, asking().add_root(clients.certificate()).add_roots(revoked)));
  BOOST_TEST(both->client_code == alert::certificate_revoked);

  // A server that asks nobody gives sessions without a certificate.
  client_context const another = make_client(version);
  BOOST_TEST(!resumes(another, make_server(one).set_ticket_keys(keys)));
  BOOST_TEST(!resumes(another, first));
  BOOST_TEST(both->server.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_whose_certificate_has_expired_is_not_resumed_elsewhere,
                       versions, version) {
  shown = clients.issue(certificate_request({"client"}).use(purpose::client).valid(-1h, 2h));
  ticket_keys const keys;
  auto const at = [&](std::chrono::hours later) {
    return make_server(one)
        .set_ticket_keys(keys)
        .set_verify(verify::required)
        .add_root(clients.certificate())
        .set_verify_time(now + later);
  };
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, at(0h)));
  BOOST_TEST(resumes(client, at(1h)));
  BOOST_TEST(!connect(client, at(3h)));
  BOOST_TEST(both->client_code == alert::certificate_expired);
}

BOOST_DATA_TEST_CASE_F(fixture, keys_are_handed_over_as_bytes, versions, version) {
  ticket_keys const keys;
  ticket_keys copied = ticket_keys::from_bytes(keys.bytes());
  BOOST_TEST((copied != keys));
  BOOST_TEST((copied.lasting() == keys.lasting()));
  server_context const first = make_server(one).set_ticket_keys(keys);
  server_context const second = make_server(other).set_ticket_keys(copied);
  BOOST_TEST(passes(first, second, version));
  BOOST_TEST(passes(second, first, version));

  ticket_keys leading = keys;   // the same
  leading.rotate();
  BOOST_TEST(!passes(first, second, version));
  BOOST_TEST(passes(second, first, version));   // by an old key
  copied.replace(leading.bytes());
  BOOST_TEST(passes(first, second, version));
  BOOST_TEST(passes(second, first, version));
}

// Of TLS 1.2, where a ticket that is not renewed is offered again.
BOOST_AUTO_TEST_CASE(what_was_given_before_keys_were_replaced_is_still_resumed) {
  ticket_keys const leading;
  ticket_keys following;
  server_context const server = make_server(one).set_ticket_keys(following);
  client_context const client = make_client(protocol::tls1_2);
  BOOST_TEST(!resumes(client, server));
  following.replace(leading.bytes());
  BOOST_TEST(resumes(client, server));
  BOOST_TEST(resumes(client, make_server(one).set_ticket_keys(leading)));   // it was renewed
}

BOOST_DATA_TEST_CASE_F(fixture, keys_that_a_program_has_given_to_openssl_are_heeded, versions,
                       version) {
  auto const natively = [&](unsigned char seed) {
    server_context made = make_server(one);
    std::array<unsigned char, 80> keys;
    keys.fill(seed);
    SSL_CTX_set_tlsext_ticket_keys(made.native_handle(), keys.data(), 80);
    SSL_CTX_set_session_id_context(made.native_handle(), keys.data(), 8);
    return made;
  };
  BOOST_TEST(passes(natively(1), natively(1), version));
  BOOST_TEST(!passes(natively(1), natively(2), version));
}

BOOST_DATA_TEST_CASE_F(fixture, hosts_of_one_server_may_share_keys_and_no_sessions, versions,
                       version) {
  ticket_keys const keys;
  server_context const second = make_server(server_identity({"second.test"})).set_ticket_keys(keys);
  server_context const all = make_server(one).set_ticket_keys(keys).add_virtual_host(
      "second.test", second);
  client_context const client = make_client(version);
  BOOST_TEST(!resumes(client, all));
  both.emplace(client, all, client_options().host("second.test").port(443));
  auto const offered = both->client.native_handle();
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(SSL_session_reused(offered) == 0);
  BOOST_TEST(resumes(client, all));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
  auto const making = [](ticket_key_options const& options) {
    return thrown_by([&] { ticket_keys const made(options); });
  };
  BOOST_TEST(making(ticket_key_options()) == error_code());
  BOOST_TEST(making(ticket_key_options().new_key_after(0s)) == errc::invalid_setting);
  BOOST_TEST(making(ticket_key_options().new_key_after(24h * 400)) == errc::invalid_setting);
  BOOST_TEST(making(ticket_key_options().old_keys(16)) == error_code());
  BOOST_TEST(making(ticket_key_options().old_keys(17)) == errc::invalid_setting);
  BOOST_TEST(thrown_by([] { ticket_keys::from_secret(bytes_type(31)); }) == errc::invalid_setting);

  ticket_keys derived = ticket_keys::from_secret(secret());
  BOOST_TEST(thrown_by([&] { derived.bytes(); }) == errc::invalid_setting);
  BOOST_TEST(thrown_by([&] { derived.rotate(); }) == errc::invalid_setting);
  BOOST_TEST(thrown_by([&] { derived.replace(ticket_keys().bytes()); }) == errc::invalid_setting);

  server_context server = make_server(one);
  BOOST_TEST(thrown_by([&] { server.set_session_lifetime(0s); }) == errc::invalid_setting);
  BOOST_TEST(thrown_by([&] { server.set_session_lifetime(24h * 7 + 1s); }) ==
             errc::invalid_setting);
  server.set_session_lifetime(25h).set_ticket_keys(ticket_keys());   // of 12 h, and two old ones
  BOOST_TEST(thrown_by([&] { engine const made(server); }) == errc::invalid_setting);
  server.set_session_lifetime(24h);
  BOOST_TEST(thrown_by([&] { engine const made(server); }) == error_code());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_damaged_are_refused) {
  bytes_type const good = ticket_keys().bytes();
  auto const reading = [](bytes_type const& bytes) {
    return thrown_by([&] { ticket_keys::from_bytes(bytes); });
  };
  BOOST_TEST(reading(good) == error_code());
  ticket_keys live;
  bytes_type const before = live.bytes();
  for (std::size_t at = 0; at < good.size(); ++at) {
    bytes_type bad = good;
    bad[at] = static_cast<unsigned char>(bad[at] ^ 0x10);
    BOOST_REQUIRE(reading(bad) == errc::invalid_ticket_keys);
    BOOST_REQUIRE(thrown_by([&] { live.replace(bad); }) == errc::invalid_ticket_keys);
    BOOST_REQUIRE(reading(bytes_type(good.begin(), good.begin() + std::ptrdiff_t(at))) ==
                  errc::invalid_ticket_keys);
  }
  BOOST_TEST((live.bytes() == before));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

using ring_type = detail::ticket_key_ring;

constexpr std::time_t start = 1'700'000'000;

}  // namespace

BOOST_AUTO_TEST_SUITE(ticket_key_ring)

BOOST_AUTO_TEST_CASE(a_key_encrypts_for_its_time_and_decrypts_for_that_of_the_old_ones) {
  ring_type ring(ticket_key_options().new_key_after(100s).old_keys(2));
  auto const first = ring.current(start);
  BOOST_TEST(ring.current(start + 99) == first);
  BOOST_TEST(!ring.find(first->name(), start + 99).is_old);
  auto const second = ring.current(start + 100);
  BOOST_TEST(second != first);
  BOOST_TEST(ring.find(first->name(), start + 100).key == first);
  BOOST_TEST(ring.find(first->name(), start + 100).is_old);
  BOOST_TEST(ring.find(first->name(), start + 299).key == first);
  BOOST_TEST(!ring.find(first->name(), start + 300).key);
  BOOST_TEST(ring.find(second->name(), start + 300).key == second);
  BOOST_TEST(!ring.find(second->name(), start + 400).key);
}

BOOST_AUTO_TEST_CASE(without_old_keys_one_decrypts_no_longer_than_it_encrypts) {
  ring_type ring(ticket_key_options().new_key_after(100s).old_keys(0));
  auto const first = ring.current(start);
  BOOST_TEST(ring.find(first->name(), start + 99).key == first);
  BOOST_TEST(!ring.find(first->name(), start + 100).key);
  BOOST_TEST(ring.current(start + 100) != first);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_put_back_changes_nothing) {
  ring_type ring(ticket_key_options().new_key_after(100s));
  auto const first = ring.current(start);
  BOOST_TEST(ring.current(start - 1'000) == first);
  BOOST_TEST(ring.find(first->name(), start - 1'000).key == first);
}

BOOST_AUTO_TEST_CASE(keys_of_a_secret_depend_on_it_and_on_the_time_alone) {
  bytes_type const both = secret();
  ring_type here(both, "", ticket_key_options().new_key_after(100s));
  ring_type there(both, "", ticket_key_options().new_key_after(100s));
  auto const equal = [](auto const& one, auto const& other) {
    return one && other && std::ranges::equal(one->bytes(), other->bytes());
  };
  for (std::time_t const later : {0, 50, 100, 5'000, 20}) {
    BOOST_TEST(equal(here.current(start + later), there.current(start + later)));
  }
  auto const key = here.current(start);
  BOOST_TEST(!equal(key, here.current(start + 100)));
  BOOST_TEST(!there.find(key->name(), start).is_old);
  BOOST_TEST(there.find(key->name(), start + 100).is_old);
  BOOST_TEST(equal(there.find(key->name(), start + 200).key, key));
  BOOST_TEST(!there.find(key->name(), start + 300).key);
  BOOST_TEST(equal(there.find(key->name(), start - 100).key, key));   // of a clock that is ahead
  BOOST_TEST(!there.find(key->name(), start - 101).key);
}

// So that a key does not depend on how it was got.
BOOST_AUTO_TEST_CASE(a_key_of_a_secret_is_that_of_rfc_5869) {
  bytes_type const known(32, 7);
  ring_type ring(known, "scope", ticket_key_options().new_key_after(100s));
  std::string hex;
  for (unsigned char const each : ring.current(start)->bytes()) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", each);
    hex += two;
  }
  BOOST_TEST(hex == 
             "5ea79bb3628d7e18ed9d7b0e1aebcc0169d4e2f9a212abaf15115080571266f1"
             "9c1ee973f0524bb4455c14d1e887d6e553ca94951f996d02612a43dd77b72414"
             "f5554f6df11f570163f15d95f2a5dd25");
}

BOOST_AUTO_TEST_CASE(a_key_is_wiped_when_nobody_uses_it) {
  alignas(detail::ticket_key) std::array<unsigned char, sizeof(detail::ticket_key)> place{};
  bytes_type const known(detail::ticket_key::size, 0xa5);
  auto* const key = new (place.data()) detail::ticket_key(known, start);
  BOOST_TEST(std::count(place.begin(), place.end(), 0xa5) >= 80);
  key->~ticket_key();
  BOOST_TEST(std::count(place.begin(), place.end(), 0xa5) == 0);
}

BOOST_AUTO_TEST_CASE(a_ring_may_be_used_by_many_at_once) {
  ring_type ring(ticket_key_options().new_key_after(1s).old_keys(1));
  bytes_type const others = ring_type(ticket_key_options()).to_bytes();
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&, user] {
      for (std::time_t at = start; at < start + 500; ++at) {
        auto const key = ring.current(at);
        ring.find(key->name(), at);
        if (user == 0 && at % 50 == 0) ring.replace(others);
      }
    });
  }
  for (std::thread& user : users) user.join();
  auto const last = ring.current(start + 600);
  BOOST_TEST(ring.find(last->name(), start + 600).key == last);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ticket_keys_test
