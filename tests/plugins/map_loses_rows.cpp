#include <flowrun/node.hpp>

namespace flowrun::test {

/// Breaks the contract on purpose: the last row of each batch is neither given, nor dropped, nor an error.
class MapLosesRows : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/map_loses_rows", "1.0.0");
    descriptor.summary("Loses the last row of each batch without a word.").input(Port("in", "documents")).output(Port("out", "documents"));
    return descriptor;
  }
  explicit MapLosesRows(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void process(const Call&, const ArrowArray& in, std::span<ArrowArray> out) override {
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row + 1 < in.length; ++row) kept.push_back(row);
    select_rows(in, schema_, kept).move_to(&out[0]);
  }

 private:
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::MapLosesRows)
