#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/version.hpp>

#include <memory>
#include <tuple>
#include <utility>

#if BOOST_ASIO_VERSION < 102900 && !defined(BOOST_ASIO_NO_DEPRECATED)
#include <boost/asio/handler_invoke_hook.hpp>
#define COTLS_ASIO_HAS_INVOKE_HOOK
#endif

// Handlers inside others. What is associated with a handler stays so; and so does the strand of one
// that `strand::wrap` has made: it has no executor, but a hook of old, which Asio's own binders
// forget (A21).

namespace cotls::detail {

namespace asio = boost::asio;

/// What a handler is carried in.
template <class Handler>
struct carrier {
  using carried_type = Handler;
  Handler carried;
};

template <class T>
concept carries_handler = requires(T& one) {
  typename T::carried_type;
  static_cast<carrier<typename T::carried_type>&>(one);
};

/// Runs a function where a handler is to run, as far as no executor says so.
template <class Handler, class Function>
void run_for(Handler& handler, Function&& function) {
#ifdef COTLS_ASIO_HAS_INVOKE_HOOK
  using asio::asio_handler_invoke;
  asio_handler_invoke(function, std::addressof(handler));
#else
  static_cast<void>(handler);
  function();
#endif
}

#ifdef COTLS_ASIO_HAS_INVOKE_HOOK
template <class Function, class Handler>
void asio_handler_invoke(Function& function, carrier<Handler>* around) {
  run_for(around->carried, function);
}
template <class Function, class Handler>
void asio_handler_invoke(Function const& function, carrier<Handler>* around) {
  run_for(around->carried, function);
}
#endif

/// A handler with another cancellation slot.
template <class Handler>
struct slot_binder : carrier<Handler> {
  asio::cancellation_slot slot;

  template <class... Args>
  void operator()(Args&&... args) {
    std::move(this->carried)(std::forward<Args>(args)...);
  }
};

template <class Handler>
slot_binder<Handler> bind_slot(asio::cancellation_slot slot, Handler handler) {
  return {{std::move(handler)}, slot};
}

/// A handler and what it is called with.
template <class Handler, class... Args>
struct bound_handler : carrier<Handler> {
  std::tuple<Args...> args;

  void operator()() { std::apply(std::move(this->carried), std::move(args)); }
};

template <class Handler, class... Args>
bound_handler<Handler, Args...> bind_args(Handler handler, Args... args) {
  return {{std::move(handler)}, std::tuple<Args...>(std::move(args)...)};
}

}  // namespace cotls::detail

namespace boost::asio {

template <template <class, class> class Associator, cotls::detail::carries_handler Carrier,
          class Default>
struct associator<Associator, Carrier, Default>
    : Associator<typename Carrier::carried_type, Default> {
  using carried = Associator<typename Carrier::carried_type, Default>;

  static auto get(Carrier const& around) noexcept { return carried::get(around.carried); }
  static auto get(Carrier const& around, Default const& otherwise) noexcept
      -> decltype(carried::get(around.carried, otherwise)) {
    return carried::get(around.carried, otherwise);
  }
};

template <class Handler, class Default>
struct associated_cancellation_slot<cotls::detail::slot_binder<Handler>, Default> {
  using type = cancellation_slot;

  static type get(cotls::detail::slot_binder<Handler> const& around,
                  Default const& = Default()) noexcept {
    return around.slot;
  }
};

}  // namespace boost::asio
