#include "numbers.hpp"

namespace flowrun::test {

/// Sends documents of even number one way and the others another way.
class TwoOutputs : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/two_outputs", "1.0.0");
    descriptor.summary("Splits documents by whether their number is even.")
        .input(Port("in", "documents"))
        .output(Port("even", "documents"))
        .output(Port("odd", "documents"));
    return descriptor;
  }
  explicit TwoOutputs(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    Map::open(open);
  }
  void process(const Call&, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> rows[2];
    for (std::int64_t row = 0; row < in.length; ++row) rows[trailing_number(documents.id[row]) & 1].push_back(row);
    for (std::size_t port = 0; port < 2; ++port) select_rows(in, schema_, rows[port]).move_to(&out[port]);
  }

 private:
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::TwoOutputs)
