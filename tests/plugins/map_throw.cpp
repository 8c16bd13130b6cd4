#include "numbers.hpp"
#include "thrower.hpp"

namespace flowrun::test {

/// Passes batches on and throws at the document whose id ends in the number `at`.
class MapThrow : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/map_throw", "1.0.0");
    descriptor.summary("Passes documents on and throws.").input(Port("in", "documents")).output(Port("out", "documents"));
    Thrower::describe(descriptor, {"process", "create", "open"});
    return descriptor;
  }
  explicit MapThrow(const Params& params) : thrower_(params) {}
  void open(Open& open) override {
    thrower_.reach("open");
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    for (std::int64_t row = 0; row < in.length; ++row) thrower_.reach("process", trailing_number(documents.id[row]));
    call.retain(in).move_to(&out[0]);
  }

 private:
  Thrower thrower_;
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::MapThrow)
