#include <cotls/detail/waiting_list.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace cotls::detail {

/// One a context; shut down by the context before any of its handlers' executors is gone.
class handler_holder::registry final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit registry(asio::execution_context& context) : service(context) {}

  void add(handler_holder& holder) {
    std::scoped_lock const lock(mutex_);
    holders_.push_back(&holder);
  }

  void remove(handler_holder& holder) {
    std::scoped_lock const lock(mutex_);
    std::erase(holders_, &holder);
  }

 private:
  // Destroying one holder's handlers may destroy other holders, which then take themselves off.
  void shutdown() override {
    while (handler_holder* const last = take_last()) last->drop();
  }

  handler_holder* take_last() {
    std::scoped_lock const lock(mutex_);
    if (holders_.empty()) return nullptr;
    handler_holder* const last = holders_.back();
    holders_.pop_back();
    return last;
  }

  std::mutex mutex_;
  std::vector<handler_holder*> holders_;
};

asio::execution_context::id handler_holder::registry::id;

handler_holder::handler_holder(asio::execution_context& context)
    : registry_(&asio::use_service<registry>(context)) {
  registry_->add(*this);
}

handler_holder::~handler_holder() { registry_->remove(*this); }

}  // namespace cotls::detail
