#include <flowrun/node.hpp>

namespace flowrun::test {

/// Writes every text twice: a map that changes text and keeps every other column.
class MapDouble : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/map_double", "1.0.0");
    descriptor.summary("Writes every text twice.").input(Port("in", "documents")).output(Port("out", "documents"));
    return descriptor;
  }
  explicit MapDouble(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    StringBuilder texts;
    for (std::int64_t row = 0; row < in.length; ++row) texts.append(std::string(documents.text[row]) + std::string(documents.text[row]));
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
    columns[static_cast<std::size_t>(schema_.find("text"))] = texts.finish();
    make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

 private:
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::MapDouble)
