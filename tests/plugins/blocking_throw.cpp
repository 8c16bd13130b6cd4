#include "thrower.hpp"

namespace flowrun::test {

/// Gives its input again once it is all read, and throws at call number `at` of `consume` or `produce`, or in another call.
class BlockingThrow : public Blocking {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/blocking_throw", "1.0.0");
    descriptor.summary("Gives its input again once it is all read, and throws.")
        .input(Port("in", "documents"))
        .output(Port("out", "documents"))
        .threads("One call at a time.");
    Thrower::describe(descriptor, {"consume", "create", "open", "finish", "produce"});
    return descriptor;
  }
  explicit BlockingThrow(const Params& params) : thrower_(params) {}
  void open(Open& open) override {
    thrower_.reach("open");
    Blocking::open(open);
  }
  void consume(const Call& call, std::size_t, const ArrowArray& in) override {
    thrower_.reach("consume", consumed_++);
    batches_.push_back(call.retain(in));
  }
  void finish(const Call&) override { thrower_.reach("finish"); }
  bool produce(const Call&, OwnedArray& out) override {
    thrower_.reach("produce", static_cast<std::int64_t>(produced_));
    if (produced_ < batches_.size()) out = std::move(batches_[produced_++]);
    return produced_ == batches_.size();
  }

 private:
  Thrower thrower_;
  std::int64_t consumed_ = 0;
  std::vector<OwnedArray> batches_;
  std::size_t produced_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::BlockingThrow)
