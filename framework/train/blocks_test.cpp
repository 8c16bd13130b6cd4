// The blocks together as a Llama, against what transformers gives for the same weights, and what they say of themselves.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <nlohmann/json.hpp>

#include "train/model.hpp"
#include "train/region_fixture.hpp"

namespace flowrun::train {
namespace {

using testing::message_of;

const std::string& fingerprint() {
  static const std::string text = native::fingerprint();
  return text;
}

TEST(Blocks, EqualTransformersLlama) {
  const LlamaGolden golden;
  NodeFactory factory;
  const ModelSpec spec = llama(factory, LlamaGolden::sizes());
  Parameters parameters;
  CallableModel model(spec, {}, parameters, nullptr, fingerprint());
  parameters.initialize(1);
  std::size_t found = 0;
  for (Parameter& parameter : parameters.all()) {
    parameter.value = golden["weights." + parameter.name];
    EXPECT_EQ(parameter.value.sizes(), at::IntArrayRef(parameter.shape)) << parameter.name;
    ++found;
  }
  EXPECT_EQ(found + 3, golden.tensors().size()) << "every weight of the golden model has its parameter; the rest are ids and two logits";
  model.use_weights(parameters.master_weights());
  const at::NoGradGuard guard;
  const at::Tensor ids = golden["ids"];
  const std::pair<const char*, native::Attention> modes[] = {{"logits.causal", native::Attention::kCausal}, {"logits.bidirectional", native::Attention::kBidirectional}};
  for (const auto& [name, mode] : modes) {
    const at::Tensor expected = golden[name], logits = model.logits(ids, mode);
    EXPECT_GT(expected.abs().max().item<float>(), 1.0f);
    EXPECT_LT((logits - expected).abs().max().item<float>(), 1e-4f) << name;  // fp32 on both sides
  }
}

TEST(Blocks, TheFusedLossIsThatOfTheLogits) {
  NodeFactory factory;
  const ModelSpec spec = llama(factory);
  Parameters parameters;
  CallableModel model(spec, {}, parameters, nullptr, fingerprint());
  parameters.initialize(1);
  model.use_weights(parameters.master_weights());
  const at::NoGradGuard guard;
  at::Tensor ids = at::empty({2, 9}, at::kLong);
  for (std::int64_t i = 0; i < 18; ++i) ids.mutable_data_ptr<std::int64_t>()[i] = (i * 7) % 24;
  at::Tensor targets = ids.clone();
  targets.narrow(1, 0, 3).fill_(-100);
  const native::Loss loss = model.cross_entropy(ids, targets, native::Attention::kCausal);
  EXPECT_EQ(loss.count, 12);
  double expected = 0;
  const at::Tensor logits = model.logits(ids, native::Attention::kCausal).to(at::kDouble);
  for (std::int64_t row = 0; row < 2; ++row)
    for (std::int64_t t = 3; t < 9; ++t)
      expected += logits[row][t].exp().sum().log().item<double>() - logits[row][t][targets[row][t].item<std::int64_t>()].item<double>();
  EXPECT_NEAR(loss.sum.item<double>(), expected, 1e-4);
}

TEST(Blocks, SizesAreThoseOfTheFormula) {
  NodeFactory factory;
  // By hand: V D + L (2 D^2 + 2 D K C + 3 D F + 2 D) + D, with D 16, K C = 2 * 4, F 32; tied.
  const std::int64_t layer = 2 * 16 * 16 + 2 * 16 * 8 + 3 * 16 * 32, embedding = 24 * 16;
  ModelSize size = flowrun_native_runtime_v1()->model_size(llama(factory));
  EXPECT_EQ(size.parameters, embedding + 2 * (layer + 2 * 16) + 16);
  EXPECT_EQ(size.parameters_matmul, embedding + 2 * layer);
  LlamaSizes untied;
  untied.tied = false;
  size = flowrun_native_runtime_v1()->model_size(llama(factory, untied));
  EXPECT_EQ(size.parameters, 2 * embedding + 2 * (layer + 2 * 16) + 16);
  EXPECT_EQ(size.parameters_matmul, embedding + 2 * layer);
}

TEST(Blocks, ConfigurationIsTheTablesWithFacts) {
  NodeFactory factory;
  const ModelSpec spec = llama(factory);
  Parameters parameters;
  const CallableModel model(spec, {}, parameters, nullptr, fingerprint());
  const auto causal = nlohmann::json::parse(model.config_json(native::Attention::kCausal));
  EXPECT_EQ(causal, nlohmann::json::parse(R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":16,"vocab_size":24,"max_position_embeddings":64,
    "tie_word_embeddings":true,"eos_token_id":null,"nested":{"heads":[4,1]},"dtype":"float32"})"));
  EXPECT_EQ(nlohmann::json::parse(model.config_json(native::Attention::kBidirectional))["is_causal"], false);
}

TEST(Blocks, AnUnknownFactIsNamedWithThoseThereAre) {
  NodeFactory factory;
  ModelSpec spec = llama(factory);
  spec.huggingface_json = R"({"hidden_size":"@width"})";
  Parameters parameters;
  const CallableModel model(spec, {}, parameters, nullptr, fingerprint());
  EXPECT_EQ(message_of([&] { model.config_json(native::Attention::kCausal); }).substr(0, 100),
            "[huggingface] of model 'decoder' asks for '@width', expected one of '@d_ff', '@d_model', '@eos_token");
}

TEST(Blocks, MistakesNameTheNode) {
  NodeFactory factory;
  const auto with = [&](std::size_t block, const std::string& id, const Given& parameters) {
    ModelSpec spec = llama(factory);
    NativeNodeSpec changed = factory.make(spec.blocks[block].name, id, parameters);
    changed.inputs = spec.blocks[block].inputs;
    changed.prefix = spec.blocks[block].prefix;
    changed.tie = spec.blocks[block].tie;
    spec.blocks[block] = changed;
    return message_of([&] { flowrun_native_runtime_v1()->model_size(spec); });
  };
  EXPECT_EQ(with(1, "blocks/attention", {{"d_model", 16}, {"n_heads", 3}}),
            "d_model is 16, expected a multiple of n_heads, 3\n  in node 'decoder/layers/0/attention' (blocks/attention 0.1.0)");
  EXPECT_EQ(with(1, "blocks/attention", {{"d_model", 16}, {"n_heads", 16}}),
            "a head has 1 channels, expected an even number: RoPE turns pairs\n  in node 'decoder/layers/0/attention' (blocks/attention 0.1.0)");
  EXPECT_EQ(with(2, "blocks/swiglu", {{"d_model", 8}}),
            "'d_model' is 8, expected 16 as in node 'decoder/embedding'\n  in node 'decoder/layers/0/mlp' (blocks/swiglu 0.1.0)");
  EXPECT_EQ(with(0, "blocks/token_embedding", {{"d_model", 16}}),
            "vocab_size is 0, which means the tokenizer's, but the port 'tokenizer' is not connected\n  in node 'decoder/embedding' (blocks/token_embedding 0.1.0)");
  EXPECT_EQ(with(5, "objectives/clm", {{"batch_size", 1}}), "node 'decoder/norm' (objectives/clm) is part of model 'decoder', but is no block");
}

TEST(Blocks, ATieToNothingIsNamed) {
  NodeFactory factory;
  ModelSpec spec = llama(factory);
  spec.blocks.back().tie = "decoder/norm2";
  EXPECT_EQ(message_of([&] { flowrun_native_runtime_v1()->model_size(spec); }),
            "tie names node 'decoder/norm2', which is no block before this one\n  in node 'decoder/head' (blocks/lm_head 0.1.0)");
}

TEST(Blocks, AForeignFingerprintIsRefusedFieldByField) {
  NodeFactory factory;
  const ModelSpec spec = llama(factory);
  std::string other = fingerprint();
  other.replace(other.find("\"cuda\":\"none\""), 13, "\"cuda\":\"13.2\"");
  Parameters parameters;
  EXPECT_EQ(message_of([&] { CallableModel(spec, {}, parameters, nullptr, other); }),
            "plugin 'blocks/token_embedding' was built for another host:\n  cuda: \"none\", expected \"13.2\"");
}

}  // namespace
}  // namespace flowrun::train
