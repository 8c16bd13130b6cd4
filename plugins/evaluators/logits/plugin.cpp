// evaluators/logits: writes a trained model's logits, so that another implementation can be compared with it.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>

#include <flowrun/dataset.hpp>
#include <flowrun/native.hpp>

namespace flowrun::evaluators {
namespace {

using namespace native;

// T time, V vocabulary.

class Logits : public Evaluator {
 public:
  static Descriptor descriptor() {
    return Descriptor("evaluators/logits", "0.1.0")
        .summary("Writes fp32 logits of the finished model on a token dataset as safetensors: a tensor [T, V] for each document, named by its id.")
        .input(Port("in", "tokens", Edge::kDataset))
        .input(Port("model", "model", Edge::kModel))
        .parameter(output_path("path").required().about("File to write, relative to the run's folder."))
        .parameter(integer("max_tokens").unit("tokens").range(1, 1e9).defaults(1024).about("Documents are taken in order until so many tokens; the last one is cut there."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Safetensors, https://huggingface.co/docs/safetensors")
        .example("[node.logits]\nplugin = \"evaluators/logits\"\nin     = \"heldout_tokens\"\nmodel  = \"decoder\"\npath   = \"logits.safetensors\"\nmax_tokens = 512\n");
  }

  explicit Logits(const Params& params) : path_(params.string("path")), max_tokens_(params.integer("max_tokens")) {}

  Schedule schedule() const override { return {0, false, true}; }

  void evaluate(const Evaluation& evaluation) override {
    const Call call = evaluation.call();
    const Dataset dataset(evaluation.dataset());
    std::vector<NamedTensor> tensors;
    std::set<std::string> names;
    std::int64_t left = max_tokens_;
    for (std::int64_t row = 0; left > 0 && (dataset.count() < 0 || row < dataset.count()); ++row) {
      const OwnedArray rows = dataset.read(call, row, 1);
      const TokensView view(rows.get(), dataset.schema());
      const auto ids = view.input_ids[0];
      const std::int64_t length = std::min(left, static_cast<std::int64_t>(ids.size()));
      if (length == 0) continue;
      if (!names.emplace(view.id[0]).second) {
        call.log(FLOWRUN_LOG_WARNING, "evaluators/logits leaves out a second document with the id '" + std::string(view.id[0]) + "'");
        continue;
      }
      at::Tensor ids_1T = at::empty({1, length}, at::kLong);
      std::copy_n(ids.begin(), length, ids_1T.mutable_data_ptr<std::int64_t>());
      tensors.push_back({std::string(view.id[0]), evaluation.model().logits(ids_1T, evaluation.attention()).squeeze(0).to(at::kFloat)});
      left -= length;
    }
    evaluation.save_tensors(path_, tensors);
  }

 private:
  std::string path_;
  std::int64_t max_tokens_;
};

}  // namespace
}  // namespace flowrun::evaluators

FLOWRUN_NATIVE_PLUGIN(flowrun::evaluators::Logits)
