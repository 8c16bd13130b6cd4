#include <flowrun/node.hpp>

namespace flowrun::test {

/// Makes each byte of a text a token.
class ByteTokens : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/byte_tokens", "1.0.0");
    descriptor.summary("Makes each byte of a text a token.").input(Port("in", "documents")).output(Port("out", "tokens"));
    return descriptor;
  }
  explicit ByteTokens(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, fields::tokens());
  }
  void process(const Call&, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    StringBuilder ids, domains;
    std::vector<std::int64_t> bytes;
    ListBuilder tokens;
    for (std::int64_t row = 0; row < in.length; ++row) {
      const std::string_view text = documents.text[row];
      ids.append(documents.id[row]);
      domains.append(documents.domain[row]);
      bytes.push_back(static_cast<std::int64_t>(text.size()));
      for (const char c : text) tokens.values().push_back(static_cast<unsigned char>(c));
      tokens.end_row();
    }
    std::vector<OwnedArray> columns;
    columns.push_back(ids.finish());
    columns.push_back(domains.finish());
    columns.push_back(make_column(bytes));
    columns.push_back(tokens.finish());
    make_batch(std::move(columns), in.length).move_to(&out[0]);
  }

 private:
  Field schema_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::ByteTokens)
