// objectives/mlm: masked language modelling; some tokens are hidden and predicted from all others.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ops/empty_like.h>

#include <flowrun/native.hpp>
#include <flowrun/philox.hpp>

#include "masking.hpp"

namespace flowrun::objectives {
namespace {

using namespace native;

// B batch, T time.

class Mlm : public Objective {
 public:
  static Descriptor descriptor() {
    return Descriptor("objectives/mlm", "0.1.0")
        .summary("Masked language modelling: cross-entropy of randomly chosen tokens, most of them hidden, predicted from all others.")
        .input(Port("in", "batch", Edge::kDataset))
        .input(Port("model", "model", Edge::kModel))
        .output(Port("out", "loss"))
        .parameter(integer("batch_size").unit("sequences").range(1, 1 << 20).required().about("Sequences of one micro-batch."))
        .parameter(number("mask_probability").range(0, 1).defaults(0.15).about("Share of tokens that are predicted; special tokens never are."))
        .parameter(number("mask_token_fraction").range(0, 1).defaults(0.8).about("Share of the predicted tokens that are shown as <|mask|>."))
        .parameter(number("random_token_fraction").range(0, 1).defaults(0.1).about("Share of the predicted tokens that are shown as a random one; the rest is shown as it is."))
        .determinism("seeded")
        .threads("One call at a time, on the region's thread.")
        .source("Devlin et al. 2019, arXiv:1810.04805, section 3.1")
        .example("[node.loss]\nplugin = \"objectives/mlm\"\nin     = \"sequences\"\nmodel  = \"decoder\"\nbatch_size = 8\n");
  }

  explicit Mlm(const Params& params) : batch_size_(params.integer("batch_size")) {
    rule_.mask_probability = params.number("mask_probability");
    rule_.mask_token_fraction = params.number("mask_token_fraction");
    rule_.random_token_fraction = params.number("random_token_fraction");
    if (rule_.mask_token_fraction + rule_.random_token_fraction > 1)
      throw Error(Code::kInvalidArgument, "mask_token_fraction and random_token_fraction add up to more than 1");
  }

  void open(Open& open) override {
    training_key_ = derive_seed(open.seed(), "training");
    evaluation_key_ = derive_seed(open.seed(), "evaluation");
  }

  std::int64_t batch_size() const override { return batch_size_; }
  Attention attention() const override { return Attention::kBidirectional; }
  bool masked() const override { return true; }

  Loss loss(const Model& model, const Batch& batch) override {
    learn_vocabulary(model);
    at::Tensor ids_BT = batch.input_ids.clone(), targets_BT = at::empty_like(ids_BT);
    const at::Tensor labels_BT = (batch.labels.defined() ? batch.labels : batch.input_ids).contiguous();
    const auto time = static_cast<std::size_t>(ids_BT.size(1));
    for (std::size_t row = 0; row < batch.positions.size(); ++row)
      mask_sequence(rule_, batch.evaluation ? evaluation_key_ : training_key_, batch.positions[row],
                    {ids_BT.mutable_data_ptr<std::int64_t>() + row * time, time}, {labels_BT.const_data_ptr<std::int64_t>() + row * time, time},
                    {targets_BT.mutable_data_ptr<std::int64_t>() + row * time, time});
    return model.cross_entropy(ids_BT, targets_BT, Attention::kBidirectional);
  }

 private:
  /// Learns the special tokens from the model's facts. A vocabulary without a tokenizer is taken to begin as our own do: 0, 1, 2.
  void learn_vocabulary(const Model& model) {
    if (rule_.vocab_size != 0) return;
    rule_.vocab_size = model.fact("vocab_size").value_or(0);
    std::vector<std::int64_t> ids;
    for (const char* name : {"eos_token_id", "pad_token_id", "mask_token_id"})
      if (const std::int64_t id = model.fact(name).value_or(-1); id >= 0) ids.push_back(id);
    const std::int64_t mask_token = model.fact("mask_token_id").value_or(-1);
    if (ids.empty()) ids = {0, 1, 2};
    else if (mask_token < 0) throw Error(Code::kInvalidArgument, "the tokenizer has no 'mask_token' in its tokenizer_config.json and no token '<|mask|>', one of which masked language modelling needs");
    rule_.mask_token = mask_token < 0 ? 2 : mask_token;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (rule_.vocab_size <= static_cast<std::int64_t>(ids.size())) throw Error(Code::kInvalidArgument, "the vocabulary has no token that is not special");
    rule_.special_tokens = std::move(ids);
  }

  std::int64_t batch_size_;
  MaskingRule rule_;
  std::uint64_t training_key_ = 0, evaluation_key_ = 0;
};

}  // namespace
}  // namespace flowrun::objectives

FLOWRUN_NATIVE_PLUGIN(flowrun::objectives::Mlm)
