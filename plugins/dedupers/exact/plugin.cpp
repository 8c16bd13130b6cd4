// dedupers/exact: of documents, or parts of them, that are equal, keeps the first.

#include <optional>
#include <string>

#include "dedupers/common/unit_deduper.hpp"
#include "text_set.hpp"

namespace flowrun::dedupers {
namespace {

class Exact : public UnitDeduper, public Stateful {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("dedupers/exact", "0.2.0");
    descriptor.summary("Drops documents, or leaves out of them paragraphs, lines or spans of sentences, that are equal to one that came before.")
        .input({"in", "documents"})
        .output({"out", "documents"});
    return add_parameters(descriptor)
        .determinism("stateful")
        .declares_state()
        .threads("One call at a time; documents in the order of 'in', so the source named first is preferred.")
        .source(
            "XXH3, 128 bits (xxHash 0.8, https://github.com/Cyan4973/xxHash): what is equal is told by hash. What does not fit into `memory_bytes` goes to sorted files without a name "
            "below TMPDIR. Spans of sentences: Raffel et al. 2020, JMLR 21, section 2.2, and datatrove 0.10.1, SentenceDedup")
        .example("[node.unique]\nplugin = \"dedupers/exact\"\nin     = [\"books\", \"web\"]\n");
  }

  explicit Exact(const Params& params) : UnitDeduper(params) {}

  void open(Open& open) override {
    UnitDeduper::open(open);
    seen_.emplace(open.memory_bytes());
  }
  void snapshot(const Call&, const std::string& folder) override { seen_->save(folder + "/texts"); }
  void restore(const Call&, const std::string& folder) override { seen_->load(folder + "/texts"); }
  std::int64_t memory_bytes() override { return seen_->memory_bytes(); }

 private:
  bool insert(Hash128 hash) override { return seen_->insert(hash); }

  std::optional<TextSet> seen_;  ///< made by `open`, which knows the bound
};

}  // namespace
}  // namespace flowrun::dedupers

FLOWRUN_PLUGIN(flowrun::dedupers::Exact)
