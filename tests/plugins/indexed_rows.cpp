#include <algorithm>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Gives each row of a token dataset as one sequence, cut or filled with zeros: an indexed node whose output is a batch.
class IndexedRows : public Indexed {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/indexed_rows", "1.0.0");
    descriptor.summary("Gives each row as one sequence of fixed length.")
        .input(Port("in", "tokens", Edge::kDataset))
        .output(Port("out", "batch", Edge::kDataset))
        .parameter(integer("sequence_length").defaults(16).range(1, 1e6).unit("tokens").about("Tokens in each sequence."));
    return descriptor;
  }
  explicit IndexedRows(const Params& params) : length_(params.integer("sequence_length")) {}
  void prepare(const Call&, std::span<const Dataset>, const std::string&) override {}
  void attach(const Call&, std::span<const Dataset> inputs, const std::string&) override { input_ = &inputs[0]; }
  std::int64_t count() override { return input_->count(); }
  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const OwnedArray rows = input_->read(call, first, n);
    const TokensView tokens(rows.get(), input_->schema());
    std::vector<std::int64_t> values(static_cast<std::size_t>(n * length_), 0);
    for (std::int64_t row = 0; row < n; ++row) {
      const auto ids = tokens.input_ids[row];
      std::copy_n(ids.begin(), std::min(ids.size(), static_cast<std::size_t>(length_)), values.begin() + row * length_);
      out.add_id(std::string(tokens.id[row]));
    }
    out.add("input_ids", std::move(values), n, length_);
  }

 private:
  std::int64_t length_;
  const Dataset* input_ = nullptr;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::IndexedRows)
