#include "numbers.hpp"

namespace flowrun::test {

/// Refuses rows one by one, as a node does that finds bad records itself.
class MapRowErrors : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/map_row_errors", "1.0.0");
    descriptor.summary("Refuses every so many documents as row errors with the code 'test_bad'.")
        .input(Port("in", "documents"))
        .output(Port("out", "documents"))
        .parameter(integer("every").defaults(10).range(1, 1e9).unit("documents").about("Documents whose number is a multiple of this are refused."));
    return descriptor;
  }
  explicit MapRowErrors(const Params& params) : every_(params.integer("every")) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < in.length; ++row) {
      if (trailing_number(documents.id[row]) % every_ == 0) call.row_error(row, Code::kCorruptData, "test_bad", "its number is a multiple");
      else kept.push_back(row);
    }
    select_rows(in, schema_, kept).move_to(&out[0]);
  }

 private:
  std::int64_t every_;
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::MapRowErrors)
