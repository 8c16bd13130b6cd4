#include "thrower.hpp"

namespace flowrun::test {

/// Passes batches on and throws at call number `at` of `process`, or in another call.
class SerialThrow : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/serial_throw", "1.0.0");
    descriptor.summary("Passes documents on in order and throws.").input(Port("in", "documents")).output(Port("out", "documents")).threads("One call at a time.");
    Thrower::describe(descriptor, {"process", "create", "open", "finish"});
    return descriptor;
  }
  explicit SerialThrow(const Params& params) : thrower_(params) {}
  void open(Open& open) override {
    thrower_.reach("open");
    Serial::open(open);
  }
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    thrower_.reach("process", calls_++);
    call.retain(in).move_to(&out[0]);
  }
  void finish(const Call&, std::span<ArrowArray>) override { thrower_.reach("finish"); }

 private:
  Thrower thrower_;
  std::int64_t calls_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SerialThrow)
