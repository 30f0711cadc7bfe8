// OpenSSL keeps a queue of errors for each thread. It is emptied before each call that is to be
// classified, and whatever the call left in it is taken out here: nowhere else does the library
// read it.

#include "openssl/openssl_error.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cerrno>

namespace cotls::detail {

namespace {

// Before anything of OpenSSL's runs. It would clean up after itself as the process ends, beneath
// the connections of static objects that are older than its first use, and of threads that still
// run; what came after it would fail.
[[gnu::constructor(101)]] void keep_openssl_to_the_end() noexcept {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

// The number of a library of OpenSSL's that signers are; 0 while none has failed.
std::atomic<int> signers{0};

bool is_signers(unsigned long packed) noexcept {
  int const number = signers.load(std::memory_order_relaxed);
  return number != 0 && !ERR_SYSTEM_ERROR(packed) && ERR_GET_LIB(packed) == number;
}

// "library: reason", and the data of the entry where OpenSSL gave any.
std::string describe(unsigned long packed, char const* data, int flags) {
  if (is_signers(packed)) return std::string("signer: ") + data;
  char const* library = ERR_lib_error_string(packed);
  std::string line = library ? library : "OpenSSL";
  line += ": ";
  line += openssl_category().message(static_cast<int>(packed));
  if ((flags & ERR_TXT_STRING) != 0 && data && *data != '\0') line.append(": ").append(data);
  return line;
}

// From OpenSSL 3.2 on, this comes behind the entry that says what was wrong with a record (T33).
bool says_nothing(unsigned long packed) noexcept {
#ifdef SSL_R_RECORD_LAYER_FAILURE
  return ERR_GET_LIB(packed) == ERR_LIB_SSL && ERR_GET_REASON(packed) == SSL_R_RECORD_LAYER_FAILURE;
#else
  static_cast<void>(packed);
  return false;
#endif
}

void drain_queue(openssl_error& into) {
  char const* data = nullptr;
  int flags = 0;
  while (unsigned long const packed = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    bool const known = is_signers(into.code) || (into.code != 0 && says_nothing(packed));
    if (!known) into.code = packed;
    if (into.system == 0 && ERR_SYSTEM_ERROR(packed)) into.system = ERR_GET_REASON(packed);
    if (!into.stack.empty()) into.stack += '\n';
    into.stack += describe(packed, data, flags);
  }
}

// By the SSL_ERROR_ constant; only after SSL_ERROR_SSL and SSL_ERROR_SYSCALL is anything queued.
status classify(int said) noexcept {
  switch (said) {
    case SSL_ERROR_SSL: return status::ssl;
    case SSL_ERROR_WANT_READ: return status::want_read;
    case SSL_ERROR_WANT_WRITE: return status::want_write;
    case SSL_ERROR_WANT_X509_LOOKUP: return status::want_x509_lookup;
    case SSL_ERROR_SYSCALL: return status::syscall;
    case SSL_ERROR_ZERO_RETURN: return status::zero_return;
    case SSL_ERROR_WANT_CONNECT: return status::want_connect;
    case SSL_ERROR_WANT_ACCEPT: return status::want_accept;
    case SSL_ERROR_WANT_ASYNC: return status::want_async;
    case SSL_ERROR_WANT_ASYNC_JOB: return status::want_async_job;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB: return status::want_client_hello;
    case SSL_ERROR_WANT_RETRY_VERIFY: return status::want_retry_verify;
    default: return status::unclassified;
  }
}

}  // namespace

// Emptying the queue writes to each of its 16 entries; nearly always it is empty.
void clear_openssl_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

openssl_error take_openssl_error(SSL const* ssl, int result) {
  int const said_by_system = errno;
  openssl_error taken;
  if (ssl) {
    taken.status = classify(SSL_get_error(ssl, result));
    if (taken.status != status::ssl && taken.status != status::syscall) return taken;
    drain_queue(taken);
    // The transport's last call was the failed one, unless OpenSSL has kept what it said.
    if (taken.system == 0) taken.system = said_by_system != 0 ? said_by_system : EIO;
    return taken;
  }
  drain_queue(taken);
  if (taken.code != 0) taken.status = status::ssl;
  return taken;
}

void leave_signer_failure(char const* why) noexcept {
  static int const number = ERR_get_next_error_library();
  signers.store(number, std::memory_order_relaxed);
  ERR_raise_data(number, ERR_R_OPERATION_FAIL, "%s", why);
}

unsigned long peek_openssl_error() noexcept { return ERR_peek_last_error(); }

error_code to_error_code(unsigned long packed) noexcept {
  if (is_signers(packed)) return errc::signer_failed;
  if (ERR_SYSTEM_ERROR(packed)) return {ERR_GET_REASON(packed), boost::system::system_category()};
  // A received alert is queued as SSL_AD_REASON_OFFSET plus its wire value, which is one byte.
  int const alert_value = ERR_GET_REASON(packed) - SSL_AD_REASON_OFFSET;
  if (ERR_GET_LIB(packed) == ERR_LIB_SSL && alert_value >= 0 && alert_value <= 0xff) {
    return static_cast<alert>(alert_value);
  }
  return {static_cast<int>(packed), openssl_category()};
}

void throw_openssl_error(error_code code, std::string context) {
  throw_openssl_error(code, std::move(context), take_openssl_error());
}

void throw_openssl_error(error_code code, std::string context, openssl_error taken) {
  if (!code) code = taken.code != 0 ? to_error_code(taken.code) : errc::unexpected_result;
  failure known;
  known.status = taken.status;
  known.openssl_stack = std::move(taken.stack);
  known.context = std::move(context);
  throw error(code, std::move(known));
}

}  // namespace cotls::detail
