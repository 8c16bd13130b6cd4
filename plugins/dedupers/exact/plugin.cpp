// dedupers/exact: of documents with equal text, keeps the first.

#include <flowrun/node.hpp>

#include <optional>
#include <string>
#include <vector>

#include "text_set.hpp"

namespace flowrun::dedupers {
namespace {

class Exact : public Serial, public Stateful {
 public:
  static Descriptor descriptor() {
    return Descriptor("dedupers/exact", "0.1.0")
        .summary("Drops documents whose text is byte for byte that of an earlier one.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .determinism("stateful")
        .declares_state()
        .threads("One call at a time; documents in the order of 'in', so the source named first is preferred.")
        .source("XXH3, 128 bits (xxHash 0.8, https://github.com/Cyan4973/xxHash): texts are compared by hash.")
        .example("[node.unique]\nplugin = \"dedupers/exact\"\nin     = [\"books\", \"web\"]\n");
  }

  explicit Exact(const Params&) {}

  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
    texts_.emplace(open.memory_bytes());
  }

  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    const StringColumn text = BatchView(in, schema_).strings("text");
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < in.length; ++row) {
      if (texts_->insert(text[row])) kept.push_back(row);
      else call.drop(row, "duplicate");
    }
    (static_cast<std::int64_t>(kept.size()) == in.length ? call.retain(in) : select_rows(in, schema_, kept)).move_to(&out[0]);
  }

  void snapshot(const Call&, const std::string& folder) override { texts_->save(folder + "/texts"); }
  void restore(const Call&, const std::string& folder) override { texts_->load(folder + "/texts"); }
  std::int64_t memory_bytes() override { return texts_->memory_bytes(); }

 private:
  Field schema_;
  std::optional<TextSet> texts_;  ///< made by `open`, which knows the bound
};

}  // namespace
}  // namespace flowrun::dedupers

FLOWRUN_PLUGIN(flowrun::dedupers::Exact)
