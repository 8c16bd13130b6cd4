#include "thrower.hpp"

namespace flowrun::test {

/// Passes a token dataset on and throws where it is told; in `read` at the row numbered `at`.
class IndexedThrow : public Indexed {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/indexed_throw", "1.0.0");
    descriptor.summary("Passes a token dataset on and throws.").input(Port("in", "tokens", Edge::kDataset)).output(Port("out", "tokens", Edge::kDataset));
    Thrower::describe(descriptor, {"read", "create", "open", "prepare", "attach", "index"});
    return descriptor;
  }
  explicit IndexedThrow(const Params& params) : thrower_(params) {}
  void open(Open& open) override {
    thrower_.reach("open");
    Indexed::open(open);
  }
  void prepare(const Call&, std::span<const Dataset>, const std::string&) override { thrower_.reach("prepare"); }
  void attach(const Call&, std::span<const Dataset> inputs, const std::string&) override {
    thrower_.reach("attach");
    input_ = &inputs[0];
  }
  std::int64_t count() override { return input_->count(); }
  OwnedArray index_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    for (std::int64_t row = first; row < first + n; ++row) thrower_.reach("index", row);
    return input_->index(call, first, n);
  }
  OwnedArray read_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    for (std::int64_t row = first; row < first + n; ++row) thrower_.reach("read", row);
    return input_->read(call, first, n);
  }

 private:
  Thrower thrower_;
  const Dataset* input_ = nullptr;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::IndexedThrow)
