// What the program is asked in a handshake, and how its answer comes:
//
//   ask -> look -> answered at once                          -> it goes on
//            |
//            +--> waiting -> step{want} -> the driver has the work done -> called again -> await_answer
//
// Where OpenSSL asks, in a callback, it is told to stop, and calls back when it is called again. What
// is asked before and behind OpenSSL's part stops the engine alone (`meet_hello`, `conclude`).

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "settings/identity_choice.hpp"

#include <openssl/ssl.h>

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace cotls::detail {

namespace {

std::vector<std::string> names_in(STACK_OF(X509_NAME) const* authorities) {
  std::vector<std::string> names;
  for (int i = 0; i < sk_X509_NAME_num(authorities); ++i) {
    bio_ptr const text(BIO_new(BIO_s_mem()));
    if (!text) throw std::bad_alloc();
    X509_NAME_print_ex(text.get(), sk_X509_NAME_value(authorities, i), 0, XN_FLAG_RFC2253);
    char* begin = nullptr;
    long const size = BIO_get_mem_data(text.get(), &begin);
    names.emplace_back(begin, static_cast<std::size_t>(size));
  }
  return names;
}

std::vector<std::uint16_t> algorithms_of_peer(SSL* ssl) {
  std::vector<std::uint16_t> numbers;
  int const count = SSL_get_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr);
  for (int i = 0; i < count; ++i) {
    unsigned char signature = 0;
    unsigned char digest = 0;
    SSL_get_sigalgs(ssl, i, nullptr, nullptr, nullptr, &signature, &digest);
    numbers.push_back(static_cast<std::uint16_t>(digest << 8 | signature));
  }
  return numbers;
}

}  // namespace

std::string text_of(std::exception_ptr const& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (std::exception const& known) {
    try {
      return known.what();
    } catch (std::bad_alloc const&) {
      return {};
    }
  } catch (...) {
    return {};
  }
}

detail::dialogue& ssl_engine::talk() {
  std::shared_ptr<detail::dialogue>& kept = failures().dialogue;
  if (!kept) kept = std::make_shared<detail::dialogue>();
  return *kept;
}

std::shared_ptr<question> ssl_engine::asked() const noexcept {
  return record_ && record_->dialogue ? record_->dialogue->current : nullptr;
}

// What OpenSSL has stopped for because of a callback of an adopted context, it asks by itself again.
step ssl_engine::await_answer() noexcept {
  if (phase_ != phase::question || !asked()) return {};
  switch (record_->dialogue->current->how_far()) {
    case progress::waiting: return {record_->dialogue->stopped_for, 0, {}};
    case progress::abandoned:
      give_up_signature();   // by which the peer is told
      return fail(errc::answer_abandoned, status::unclassified);
    case progress::unasked:
    case progress::answered: break;
  }
  record_->dialogue->current.reset();
  return {};
}

// Done when there is an answer.
template <class Question>
step ssl_engine::ask(std::shared_ptr<Question> const& about, want stopped_for) {
  dialogue& with = talk();
  switch (about->look()) {
    case progress::answered: with.current.reset(); return {};
    case progress::abandoned: return fail(errc::answer_abandoned, status::unclassified);
    case progress::unasked:
    case progress::waiting: break;
  }
  with.current = about;
  with.stopped_for = stopped_for;
  return stopped(stopped_for);
}

template step ssl_engine::ask(std::shared_ptr<asked_hello> const&, want);
template step ssl_engine::ask(std::shared_ptr<asked_verdict> const&, want);
template step ssl_engine::ask(std::shared_ptr<asked_sessions> const&, want);

int ssl_engine::on_certificate(ssl_st* ssl, void*) {
  ssl_engine* const self = serving(ssl);
  return self ? self->find_certificate() : 1;   // others show what the context has
}

certificate_query ssl_engine::query_of_peer() const {
  SSL* const ssl = ssl_.get();
  certificate_query asked;
  asked.version = SSL_get_version(ssl);
  if (char const* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    asked.server_name = name;
  }
  asked.signature_algorithms = algorithms_of_peer(ssl);
  asked.authorities = names_in(SSL_get0_peer_CA_list(ssl));
  return asked;
}

// No exception may cross OpenSSL, which takes 0 for a failure (and sends internal_error), and less
// for a reason to be called again. A server is asked once: its answer stands, also when OpenSSL asks
// again after a HelloRetryRequest (T4). A client may be asked again after the handshake.
int ssl_engine::find_certificate() {
  error_code refused_as = errc::hook_failed;
  std::string remark;
  try {
    auto const& by = context_ ? context_->settings().hooks.on_certificate() : nullptr;
    if (!by) return 1;
    dialogue& with = talk();
    if (!with.certificate) with.certificate = question_for(by, query_of_peer());
    progress const found = with.certificate->look();
    if (found == progress::waiting) {
      with.current = with.certificate;
      with.stopped_for = want::certificate;
      return -1;
    }
    with.current.reset();
    if (found == progress::answered) {
      auto const about = with.certificate;
      if (!is_server()) with.certificate.reset();
      certificate_answer const& said = about->value();
      if (said.shown()) {
        clear_openssl_errors();
        return show_identity(ssl_.get(), *said.shown()) ? 1 : 0;
      }
      if (!said.refused()) return is_server() ? 1 : identity_choice::choose(ssl_.get());
      refused_as = errc::peer_not_allowed;
      // Of what OpenSSL would say behind it nothing leaves. A client has keys by now, so that only
      // OpenSSL can say anything.
      if (is_server()) {
        auto const alert = plaintext_alert(*said.refused());
        channel_->send(alert.data(), alert.size());
        channel_->mute();
      }
    } else {
      refused_as = errc::answer_abandoned;
    }
  } catch (std::bad_alloc const&) {
    refused_as = make_error_code(boost::system::errc::not_enough_memory);
  } catch (...) {
    remark = text_of(std::current_exception());
  }
  try {
    failures().refused_as = refused_as;
    failures().fatal.remark = std::move(remark);
  } catch (std::bad_alloc const&) {
    // OpenSSL's code is reported instead.
  }
  return 0;
}

}  // namespace cotls::detail
