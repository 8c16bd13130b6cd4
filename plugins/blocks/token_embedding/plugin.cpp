// blocks/token_embedding: the first block of a model; turns the ids that an objective hands to the model into hidden states.

#include <fstream>
#include <iterator>

#include <ATen/ops/embedding.h>

#include <flowrun/native.hpp>

#include "tokenizer_facts.hpp"

namespace flowrun::blocks {
namespace {

using namespace native;

// B batch, T time, D model width, V vocabulary.

class TokenEmbedding : public Block {
 public:
  static Descriptor descriptor() {
    return Descriptor("blocks/token_embedding", "0.1.0")
        .summary("Looks up a vector for each token id; the first block of a model.")
        .input(Port("tokenizer", "tokenizer", Edge::kArtifact).optional())
        .output(Port("out", "hidden"))
        .parameter(integer("d_model").unit("channels").range(1, 1 << 20).required().about("Width of the hidden states."))
        .parameter(integer("vocab_size").unit("tokens").range(0, 1 << 28).defaults(0).about("Rows of the table; 0: as many as the tokenizer has tokens."))
        .parameter(number("init_std").range(0, 10).defaults(0.02).about("Standard deviation of the initial values."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Bengio et al. 2003, A neural probabilistic language model, JMLR 3")
        .example("[node.embedding]\nplugin    = \"blocks/token_embedding\"\ntokenizer = \"vocabulary\"\nd_model   = 256\nprefix    = \"model.embed_tokens.\"\n");
  }

  explicit TokenEmbedding(const Params& params) : d_model_(params.integer("d_model")), vocab_size_(params.integer("vocab_size")), init_std_(params.number("init_std")) {}

  void open(Open& open) override {
    const std::string folder = open.artifact("tokenizer");
    if (folder.empty()) return;
    const std::string path = folder + "/tokenizer.json";
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Code::kNotFound, "cannot open '" + path + "'");
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::ifstream config(folder + "/tokenizer_config.json", std::ios::binary);  // what is not there says nothing
    tokenizer_ = read_tokenizer_facts(text, {std::istreambuf_iterator<char>(config), {}}, path);
    if (vocab_size_ == 0) vocab_size_ = tokenizer_.vocab_size;
    if (vocab_size_ < tokenizer_.vocab_size)
      throw Error(Code::kInvalidArgument, "vocab_size is " + std::to_string(vocab_size_) + ", but the tokenizer has " + std::to_string(tokenizer_.vocab_size) + " tokens");
  }

  void setup(const Setup& setup) override {
    if (vocab_size_ == 0) throw Error(Code::kInvalidArgument, "vocab_size is 0, which means the tokenizer's, but the port 'tokenizer' is not connected");
    setup.publish("d_model", d_model_);
    setup.publish("vocab_size", vocab_size_);
    setup.publish("eos_token_id", tokenizer_.eos_token_id);
    setup.publish("pad_token_id", tokenizer_.pad_token_id);
    setup.publish("mask_token_id", tokenizer_.mask_token_id);
    weight_ = setup.parameter("weight", {vocab_size_, d_model_}, Role::kEmbedding, Init::normal(init_std_));
  }

  at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) override { return at::embedding(forward[weight_], in[0]); }

 private:
  std::int64_t d_model_, vocab_size_;
  double init_std_;
  TokenizerFacts tokenizer_;
  Weight weight_;
};

}  // namespace
}  // namespace flowrun::blocks

FLOWRUN_NATIVE_PLUGIN(flowrun::blocks::TokenEmbedding)
