#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace cotls::detail {

/** An object that an SSL_CTX owns: its connections keep that one alive, and not what wraps it. */
template <class Object>
class owned_by_context {
 public:
  static Object* find(SSL_CTX const* in) {
    return static_cast<Object*>(SSL_CTX_get_ex_data(in, place()));
  }

  /** Gives the context an object, or none, and returns the one it had. The new one comes back when
      OpenSSL cannot take it. */
  static std::unique_ptr<Object> exchange(SSL_CTX* of, std::unique_ptr<Object> object) {
    std::unique_ptr<Object> old(find(of));
    if (SSL_CTX_set_ex_data(of, place(), object.get()) != 1) {
      old.release();   // it stays
      return object;
    }
    object.release();
    return old;
  }

 private:
  static int place() {
    static int const index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* object, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<Object*>(object);
        });
    return index;
  }
};

}  // namespace cotls::detail
