#include <cotls/detail/support/waiting_list.hpp>

#include <mutex>

namespace cotls::detail {

/// One a context; shut down by the context before any of its handlers' executors is gone.
class handler_holder::registry final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit registry(asio::execution_context& context) : service(context) {}

  void add(handler_holder& holder) {
    std::scoped_lock const lock(mutex_);
    holder.after_ = first_;
    if (first_) first_->before_ = &holder;
    first_ = &holder;
  }

  void remove(handler_holder& holder) {
    std::scoped_lock const lock(mutex_);
    unlink(holder);
  }

 private:
  // Destroying one holder's handlers may destroy other holders, which then take themselves off.
  void shutdown() override {
    while (handler_holder* const first = take_first()) first->drop();
  }

  handler_holder* take_first() {
    std::scoped_lock const lock(mutex_);
    handler_holder* const first = first_;
    if (first) unlink(*first);
    return first;
  }

  // Once more does no harm: a holder that was taken is unlinked again at its end.
  void unlink(handler_holder& holder) noexcept {
    if (holder.before_) holder.before_->after_ = holder.after_;
    if (holder.after_) holder.after_->before_ = holder.before_;
    if (first_ == &holder) first_ = holder.after_;
    holder.before_ = holder.after_ = nullptr;
  }

  std::mutex mutex_;
  handler_holder* first_ = nullptr;   // the latest; a stream that ends must not look for its own
};

asio::execution_context::id handler_holder::registry::id;

handler_holder::handler_holder(asio::execution_context& context)
    : registry_(&asio::use_service<registry>(context)) {
  registry_->add(*this);
}

handler_holder::~handler_holder() { registry_->remove(*this); }

}  // namespace cotls::detail
