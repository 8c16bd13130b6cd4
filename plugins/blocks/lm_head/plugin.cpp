// blocks/lm_head: the last block of a model; logits = hidden weight^T. With `tie` the weight is the embedding's.

#include <cstdint>

#include <flowrun/native.hpp>

namespace flowrun::blocks {
namespace {

using namespace native;

// V vocabulary, D model width.

class LmHead : public Block {
 public:
  static Descriptor descriptor() {
    return Descriptor("blocks/lm_head", "0.1.0")
        .summary("Gives a logit for each token of the vocabulary; with 'tie' through the embedding's own table.")
        .input(Port("in", "hidden"))
        .output(Port("out", "logits"))
        .parameter(integer("d_model").unit("channels").range(1, 1 << 20).required().about("Width of the hidden states."))
        .parameter(integer("vocab_size").unit("tokens").range(0, 1 << 28).defaults(0).about("Number of logits; 0: the embedding's vocab_size."))
        .parameter(number("init_std").range(0, 10).defaults(0.02).about("Standard deviation of the initial weights of an untied head."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Press and Wolf 2017, arXiv:1608.05859 (tied weights)")
        .example("[node.head]\nplugin  = \"blocks/lm_head\"\nin      = \"norm\"\nd_model = 256\ntie     = \"embedding\"\n");
  }

  explicit LmHead(const Params& params) : d_model_(params.integer("d_model")), vocab_size_(params.integer("vocab_size")), init_std_(params.number("init_std")) {}

  void setup(const Setup& setup) override {
    setup.publish("d_model", d_model_);
    setup.publish_flag("tie_word_embeddings", setup.tied());
    if (vocab_size_ == 0) vocab_size_ = setup.fact("vocab_size").value_or(0);
    if (vocab_size_ == 0) throw Error(Code::kInvalidArgument, "vocab_size is 0, which means the embedding's, but no block before this one states it");
    setup.publish("vocab_size", vocab_size_);
    weight_ = setup.tied() ? setup.shared("weight", Role::kMatrix)
                           : setup.parameter("weight", {vocab_size_, d_model_}, Role::kMatrix, Init::normal(init_std_));
  }

  at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) override { return forward.ops().linear(in[0], forward[weight_]); }

  Weight linear_weight() const noexcept override { return weight_; }

 private:
  std::int64_t d_model_, vocab_size_;
  double init_std_;
  Weight weight_;
};

}  // namespace
}  // namespace flowrun::blocks

FLOWRUN_NATIVE_PLUGIN(flowrun::blocks::LmHead)
