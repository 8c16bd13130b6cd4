#include <flowrun/node.hpp>

namespace flowrun::test {

/// Gives each batch one call later, the last one in `finish`: a node that owns a batch beyond the call that lent it.
class SerialDelay : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/serial_delay", "1.0.0");
    descriptor.summary("Gives each batch one call later.").input(Port("in", "documents")).output(Port("out", "documents")).threads("One call at a time.");
    return descriptor;
  }
  explicit SerialDelay(const Params&) {}
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    kept_.move_to(&out[0]);
    kept_ = call.retain(in);
  }
  void finish(const Call&, std::span<ArrowArray> out) override { kept_.move_to(&out[0]); }

 private:
  OwnedArray kept_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SerialDelay)
