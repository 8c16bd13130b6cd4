#include <fstream>
#include <set>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Drops documents whose text came before. Its state grows with the input, and is declared to.
class SerialDedupe : public Serial, public Stateful {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/serial_dedupe", "1.0.0");
    descriptor.summary("Drops documents whose text came before.")
        .input(Port("in", "documents"))
        .output(Port("out", "documents"))
        .determinism("stateful")
        .threads("One call at a time.")
        .declares_state();
    return descriptor;
  }
  explicit SerialDedupe(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < in.length; ++row) {
      if (add(std::string(documents.text[row]))) kept.push_back(row);
      else call.drop(row, "test_duplicate");
    }
    select_rows(in, schema_, kept).move_to(&out[0]);
  }

  void snapshot(const Call&, const std::string& folder) override {
    std::ofstream file(folder + "/texts", std::ios::binary);
    for (const std::string& text : texts_) file << text.size() << '\n' << text;
    file.close();
    if (!file) throw Error(Code::kIo, "'" + folder + "/texts' cannot be written");
  }
  void restore(const Call&, const std::string& folder) override {
    std::ifstream file(folder + "/texts", std::ios::binary);
    if (!file) throw Error(Code::kNotFound, "'" + folder + "/texts' does not exist");
    texts_.clear();
    text_bytes_ = 0;
    for (std::size_t size = 0; file >> size;) {
      std::string text(size, '\0');
      if (!file.ignore(1).read(text.data(), static_cast<std::streamsize>(size))) throw Error(Code::kCorruptData, "'" + folder + "/texts' is cut");
      add(std::move(text));
    }
  }
  std::int64_t memory_bytes() override { return text_bytes_ + static_cast<std::int64_t>(texts_.size() * sizeof(std::string)); }

 private:
  bool add(std::string text) {
    const auto bytes = static_cast<std::int64_t>(text.size());
    if (!texts_.insert(std::move(text)).second) return false;
    text_bytes_ += bytes;
    return true;
  }

  Field schema_;
  std::set<std::string> texts_;
  std::int64_t text_bytes_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SerialDedupe)
