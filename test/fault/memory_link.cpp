// Two ends of a connection in memory; the trouble happens to the near one's reads and writes.

#include "connection_over.hpp"
#include "link.hpp"
#include "memory_stream.hpp"

#include <boost/asio/post.hpp>

namespace cotls::test {

namespace {

class memory_link final : public link {
 public:
  memory_link(asio::io_context& context, plan const& how, link_settings const& what)
      : context_(context),
        how_(how),
        ends_(memory_stream::make_pair(context.get_executor())) {
    for (memory_stream* each : {&ends_.first, &ends_.second}) {
      each->set_limit(how.limit);
      each->set_capacity(what.capacity);
    }
    switch (how.counted) {
      case unit::steps: near().set_fault(how.transport_fault(), how.at); break;
      case unit::bytes_in: near().set_fault_behind(how.transport_fault(), way::in, how.at); break;
      case unit::bytes_out: near().set_fault_behind(how.transport_fault(), way::out, how.at); break;
    }
  }

  void start(std::function<void()> met) override {
    auto const later = [this, met = std::move(met)] { asio::post(context_, met); };
    near().on_fault(later);
    if (how_.kind != trouble::race) return;
    near().on_step([at = how_.at, later](std::size_t step) {
      if (step == at) later();
    });
  }

  std::unique_ptr<connection> make(end which, connection_settings const& how) override {
    return std::make_unique<connection_over<memory_stream>>(
        how, which == end::near ? ends_.first : ends_.second);
  }

  void lift() override { near().lift_fault(); }
  void dropped(end which) override { (which == end::near ? ends_.first : ends_.second).close(); }
  void close() override {}

  measures measured() const override {
    return {ends_.first.steps(), ends_.first.bytes(way::in), ends_.first.bytes(way::out)};
  }

 private:
  memory_stream& near() noexcept { return ends_.first; }

  asio::io_context& context_;
  plan const how_;
  std::pair<memory_stream, memory_stream> ends_;
};

}  // namespace

std::shared_ptr<link> make_memory_link(asio::io_context& context, plan const& how,
                                       link_settings const& what) {
  return std::make_shared<memory_link>(context, how, what);
}

}  // namespace cotls::test
