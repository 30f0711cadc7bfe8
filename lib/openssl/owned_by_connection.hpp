#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <new>

namespace cotls::detail {

/** An object that a connection of OpenSSL's owns. */
template <class Object>
class owned_by_connection {
 public:
  static Object* find(SSL const* in) { return static_cast<Object*>(SSL_get_ex_data(in, place())); }

  /** Gives the connection an object, in the place of the one that it has.
      @par Errors std::bad_alloc */
  static void give(SSL* to, std::unique_ptr<Object> object) {
    std::unique_ptr<Object> const old(find(to));
    if (SSL_set_ex_data(to, place(), object.get()) == 1) {
      object.release();
      return;
    }
    SSL_set_ex_data(to, place(), nullptr);
    throw std::bad_alloc();
  }

 private:
  static int place() {
    static int const index = SSL_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* object, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<Object*>(object);
        });
    return index;
  }
};

}  // namespace cotls::detail
