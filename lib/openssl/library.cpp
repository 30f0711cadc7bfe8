#include "openssl/library.hpp"

#include "openssl/few_decoders.hpp"
#include "openssl/owned_by_context.hpp"

#include <memory>
#include <utility>

namespace cotls::detail {

ssl_ctx_ptr make_ssl_ctx(SSL_METHOD const* method, library_options const& from) {
  bool const is_usual = is_default(from) && !from.all_decoders();
  OSSL_LIB_CTX* const library = is_usual ? library_of_few_decoders() : from.library();
  ssl_ctx_ptr made(SSL_CTX_new_ex(library, query_of(from), method));
  if (!made || is_usual) return made;
  auto noted = std::make_unique<library_options>(from);
  library_options const* const given = noted.get();
  auto const back = owned_by_context<library_options>::exchange(made.get(), std::move(noted));
  if (back.get() == given) made.reset();
  return made;
}

library_options const& library_of(SSL_CTX const* context) {
  static auto const* const usual = new library_options;   // for static objects, too: never freed
  library_options const* const noted = owned_by_context<library_options>::find(context);
  return noted ? *noted : *usual;
}

char const* query_of(library_options const& from) noexcept {
  return from.properties().empty() ? nullptr : from.properties().c_str();
}

bool is_default(library_options const& from) noexcept {
  return !from.library() && from.properties().empty();
}

}  // namespace cotls::detail
