// evaluators/perplexity: the objective's loss on held-out documents, by domain. Perplexity is exp(loss): the branching factor that the model still sees.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/ops/from_blob.h>

#include <flowrun/dataset.hpp>
#include <flowrun/native.hpp>

#include "windows.hpp"

namespace flowrun::evaluators {
namespace {

using namespace native;

/// Tokens that go through the model at once: enough for fast matrix products, and few beside what training holds.
constexpr std::int64_t kTokensAtOnce = 4096;
/// Rows of the dataset that are read at once.
constexpr std::int64_t kRowsAtOnce = 64;

class Perplexity : public Evaluator {
 public:
  static Descriptor descriptor() {
    return Descriptor("evaluators/perplexity", "0.1.0")
        .summary("Measures loss, perplexity and bits per byte on held-out documents, by domain and in all. Documents are cut in windows; no special token is added.")
        .input(Port("in", "tokens", Edge::kDataset).needs_end())
        .input(Port("model", "model", Edge::kModel))
        .parameter(integer("every_steps").unit("steps").range(0, 1e15).defaults(0).about("Steps between two evaluations; 0: only at the end."))
        .parameter(boolean("at_start").defaults(false).about("Evaluates before the first step too."))
        .parameter(integer("max_tokens").unit("tokens").range(0, 1e15).defaults(0).about("Every k-th document, with the smallest k that keeps to so many tokens, at least the first; 0: all."))
        .parameter(integer("sequence_length").unit("tokens").range(0, 1 << 28).defaults(0).about("Length of a window; 0: the packer's."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Jelinek et al. 1977, Perplexity: a measure of the difficulty of speech recognition tasks")
        .example("[node.perplexity]\nplugin = \"evaluators/perplexity\"\nin     = \"heldout_tokens\"\nmodel  = \"decoder\"\nevery_steps = 100\n");
  }

  explicit Perplexity(const Params& params)
      : schedule_{params.integer("every_steps"), params.boolean("at_start"), true}, max_tokens_(params.integer("max_tokens")), window_length_(params.integer("sequence_length")) {}

  Schedule schedule() const override { return schedule_; }

  void evaluate(const Evaluation& evaluation) override {
    const std::int64_t length = window_length_ != 0 ? window_length_ : evaluation.sequence_length();
    if (length == 0) throw Error(Code::kInvalidArgument, "sequence_length is 0, which means the packer's, but nothing is packed here");
    const Call call = evaluation.call();
    const Dataset dataset(evaluation.dataset());
    if (dataset.count() < 0) throw Error(Code::kInvalidArgument, "the dataset has no end");
    const std::int64_t stride = choose_stride(call, dataset);

    std::map<std::string, EvaluationLine> lines;
    WindowGroups groups(length, kTokensAtOnce, [&](const WindowGroup& group) { score(evaluation, group, lines[group.domain]); });
    for (std::int64_t first = 0; first < dataset.count(); first += kRowsAtOnce) {
      const std::int64_t n = std::min(kRowsAtOnce, dataset.count() - first);
      const OwnedArray rows = dataset.read(call, first, n);
      const TokensView view(rows.get(), dataset.schema());
      for (std::int64_t row = 0; row < n; ++row) {
        if ((first + row) % stride != 0) continue;
        const std::string domain(view.domain[row]);
        EvaluationLine& line = lines[domain];
        line.domain = domain;
        line.tokens += static_cast<std::int64_t>(view.input_ids[row].size());
        line.bytes += view.bytes[row];
        groups.add(first + row, domain, view.input_ids[row]);
      }
    }
    groups.finish();
    if (lines.empty()) call.log(FLOWRUN_LOG_WARNING, "evaluators/perplexity has no documents to read");
    for (const auto& [domain, line] : lines) evaluation.emit(line);
  }

 private:
  std::int64_t choose_stride(const Call& call, const Dataset& dataset) const {
    if (max_tokens_ == 0) return 1;
    std::vector<std::uint32_t> lengths;
    for (std::int64_t first = 0; first < dataset.count(); first += 4096) {
      const std::int64_t n = std::min<std::int64_t>(4096, dataset.count() - first);
      const OwnedArray rows = dataset.index(call, first, n);
      const auto* values = BatchView(rows.get(), dataset.index_schema()).values<std::uint32_t>("length", "I");
      lengths.insert(lengths.end(), values, values + n);
    }
    return document_stride(lengths, max_tokens_);
  }

  static void score(const Evaluation& evaluation, const WindowGroup& group, EvaluationLine& line) {
    Batch batch;
    batch.input_ids = at::from_blob(const_cast<std::int64_t*>(group.ids.data()), {static_cast<std::int64_t>(group.positions.size()), group.length}, at::kLong);
    batch.positions = group.positions;
    batch.evaluation = true;
    const Loss loss = evaluation.loss(batch);
    line.scored += loss.count;
    if (loss.count > 0) line.loss_sum += loss.sum.item<double>();
  }

  Schedule schedule_;
  std::int64_t max_tokens_, window_length_;
};

}  // namespace
}  // namespace flowrun::evaluators

FLOWRUN_NATIVE_PLUGIN(flowrun::evaluators::Perplexity)
