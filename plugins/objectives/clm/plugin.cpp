// objectives/clm: causal language modelling; each token is predicted from those before it.

#include <cstdint>

#include <ATen/ops/full_like.h>

#include <flowrun/native.hpp>

namespace flowrun::objectives {
namespace {

using namespace native;

// B batch, T time.

class Clm : public Objective {
 public:
  static Descriptor descriptor() {
    return Descriptor("objectives/clm", "0.1.0")
        .summary("Causal language modelling: cross-entropy of every token but a sequence's first, predicted from the tokens before it.")
        .input(Port("in", "batch", Edge::kDataset))
        .input(Port("model", "model", Edge::kModel))
        .output(Port("out", "loss"))
        .parameter(integer("batch_size").unit("sequences").range(1, 1 << 20).required().about("Sequences of one micro-batch."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Radford et al. 2018, Improving language understanding by generative pre-training")
        .example("[node.loss]\nplugin = \"objectives/clm\"\nin     = \"sequences\"\nmodel  = \"decoder\"\nbatch_size = 8\n");
  }

  explicit Clm(const Params& params) : batch_size_(params.integer("batch_size")) {}

  std::int64_t batch_size() const override { return batch_size_; }
  Attention attention() const override { return Attention::kCausal; }

  Loss loss(const Model& model, const Batch& batch) override {
    const at::Tensor& ids_BT = batch.input_ids;
    const at::Tensor& labels_BT = batch.labels.defined() ? batch.labels : ids_BT;
    const std::int64_t scored = ids_BT.size(1) - 1;
    at::Tensor targets_BT = at::full_like(ids_BT, -100);
    targets_BT.narrow(1, 0, scored).copy_(labels_BT.narrow(1, 1, scored));
    return model.cross_entropy(ids_BT, targets_BT, Attention::kCausal);
  }

 private:
  std::int64_t batch_size_;
};

}  // namespace
}  // namespace flowrun::objectives

FLOWRUN_NATIVE_PLUGIN(flowrun::objectives::Clm)
