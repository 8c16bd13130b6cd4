#include <fstream>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Gives the rows of a token dataset in reverse order: an indexed node whose output is a dataset.
class IndexedReverse : public Indexed {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/indexed_reverse", "1.0.0");
    descriptor.summary("Gives the rows of a token dataset in reverse order.")
        .input(Port("in", "tokens", Edge::kDataset))
        .output(Port("out", "tokens", Edge::kDataset));
    return descriptor;
  }
  explicit IndexedReverse(const Params&) {}
  void prepare(const Call&, std::span<const Dataset> inputs, const std::string& staging) override {
    if (inputs[0].count() < 0) throw Error(Code::kUnsupported, "a dataset without end has no reverse");
    std::ofstream file(staging + "/count");
    file << inputs[0].count() << '\n';
    file.close();
    if (!file) throw Error(Code::kIo, "'" + staging + "/count' cannot be written");
  }
  void attach(const Call&, std::span<const Dataset> inputs, const std::string& index) override {
    input_ = &inputs[0];
    std::ifstream file(index + "/count");
    if (!(file >> count_)) throw Error(Code::kCorruptData, "'" + index + "/count' holds no number");
  }
  std::int64_t count() override { return count_; }
  OwnedArray index_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    return reversed(input_->index(call, count_ - first - n, n), input_->index_schema());
  }
  OwnedArray read_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    return reversed(input_->read(call, count_ - first - n, n), input_->schema());
  }

 private:
  static OwnedArray reversed(const OwnedArray& batch, const Field& schema) {
    std::vector<std::int64_t> rows;
    for (std::int64_t row = batch.get().length; row-- > 0;) rows.push_back(row);
    return select_rows(batch.get(), schema, rows);
  }

  const Dataset* input_ = nullptr;
  std::int64_t count_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::IndexedReverse)
