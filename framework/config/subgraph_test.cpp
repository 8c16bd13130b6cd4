// Subgraphs, repeat, prefix, tie, and references into and out of them.

#include "config/graph_fixture.hpp"

namespace flowrun::config {
namespace {

using Lines = std::vector<std::string>;

const char* const kModel =
    "[graph]\ninputs = [\"hidden\", \"tokenizer\"]\noutputs = [\"head\", \"layers.side\"]\n"
    "[params]\nn_layers = 4\nd_model = 128\neps = 1e-5\n"
    "[node.embedding]\nplugin = \"blocks/token_embedding\"\ntokenizer = \"tokenizer\"\nd_model = \"${d_model}\"\nprefix = \"model.\"\n"
    "[node.layers]\ngraph = \"layer.toml\"\nin = \"embedding\"\nrepeat = \"${n_layers}\"\nprefix = \"model.layers.${index}.\"\neps = "
    "\"${eps}\"\n"
    "[node.head]\nplugin = \"blocks/lm_head\"\nin = \"layers\"\ntie = \"embedding\"\n"
    "[huggingface]\nmodel_type = \"llama\"\nhidden_size = \"${d_model}\"\n";
const char* const kLayer =
    "[graph]\ninputs = [\"hidden\"]\noutputs = [\"mlp\", \"attention.side\"]\n[params]\neps = 1.0\n"
    "[node.attention]\nplugin = \"blocks/attention\"\nin = \"hidden\"\neps = \"${eps}\"\nprefix = \"self_attn.\"\nnote = \"${index}\"\n"
    "[node.mlp]\nplugin = \"blocks/swiglu\"\nin = \"attention\"\n";

class Subgraph : public GraphFixture {
 protected:
  Subgraph() {
    write("models/llama.toml", kModel);
    write("models/layer.toml", kLayer);
  }
};

TEST_F(Subgraph, ExpandsAModel) {
  const GraphSpec graph = load_text(
      "[node.words]\nplugin = \"readers/text\"\n[node.vocab]\nplugin = \"t/t\"\nin = \"words\"\n"
      "[node.decoder]\ngraph = \"models/llama.toml\"\ntokenizer = \"vocab\"\nn_layers = 2\nd_model = 64\nseed = 5\n"
      "[node.loss]\nplugin = \"objectives/clm\"\nin = \"words\"\nmodel = \"decoder\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(names(graph), (Lines{"words", "vocab", "decoder/embedding", "decoder/layers/0/attention", "decoder/layers/0/mlp",
                                 "decoder/layers/1/attention", "decoder/layers/1/mlp", "decoder/head", "loss"}));
  EXPECT_EQ(key(graph, "decoder/embedding", "d_model"), "64");
  EXPECT_EQ(key(graph, "decoder/embedding", "prefix"), "\"model.\"");
  EXPECT_EQ(key(graph, "decoder/embedding", "seed"), "5");
  EXPECT_EQ(key(graph, "decoder/layers/0/attention", "in"), "\"decoder/embedding\"");
  EXPECT_EQ(key(graph, "decoder/layers/0/attention", "eps"), "1e-05");
  EXPECT_EQ(key(graph, "decoder/layers/0/attention", "note"), "0");
  EXPECT_EQ(key(graph, "decoder/layers/1/attention", "note"), "1");
  EXPECT_EQ(key(graph, "decoder/layers/1/attention", "in"), "\"decoder/layers/0/mlp\"");
  EXPECT_EQ(key(graph, "decoder/layers/1/attention", "prefix"), "\"model.layers.1.self_attn.\"");
  EXPECT_EQ(key(graph, "decoder/layers/1/mlp", "prefix"), "\"model.layers.1.\"");
  EXPECT_EQ(key(graph, "decoder/layers/1/mlp", "in"), "\"decoder/layers/1/attention\"");
  EXPECT_EQ(key(graph, "decoder/layers/1/mlp", "seed"), "5");
  EXPECT_EQ(key(graph, "decoder/head", "in"), "\"decoder/layers/1/mlp\"");
  EXPECT_EQ(key(graph, "decoder/head", "tie"), "\"decoder/embedding\"");
  EXPECT_EQ(key(graph, "decoder/head", "prefix"), "");
  EXPECT_EQ(node(graph, "decoder/layers/1/mlp").scope, "decoder/layers/1");
  EXPECT_EQ(graph.aliases.at("decoder"), "decoder/head");
  EXPECT_EQ(graph.aliases.at("decoder/layers"), "decoder/layers/1/mlp");
  ASSERT_EQ(graph.huggingface.size(), 1U);
  EXPECT_EQ(graph.huggingface[0].model, "decoder");
  EXPECT_EQ(graph.huggingface[0].output, "decoder/head");
  EXPECT_EQ(to_toml({graph.huggingface[0].keys, {}, {}}), R"({ model_type = "llama", hidden_size = 64 })");
}

TEST_F(Subgraph, ResolvesReferencesOfKeysInTheirScope) {
  const GraphSpec graph = load_text(
      "[node.vocab]\nplugin = \"t/t\"\n"
      "[node.decoder]\ngraph = \"models/llama.toml\"\ntokenizer = \"vocab\"\nn_layers = 2\n"
      "[node.bare]\ngraph = \"models/llama.toml\"\nn_layers = 1\n"
      "[node.loss]\nplugin = \"objectives/clm\"\nmodel = \"decoder\"\n");
  EXPECT_EQ(findings(), Lines{});
  const NodeSpec& loss = node(graph, "loss");
  const NodeSpec& embedding = node(graph, "decoder/embedding");
  const NodeSpec& attention = node(graph, "decoder/layers/1/attention");
  EXPECT_EQ(graph.resolve(loss, "decoder"), "decoder/head");
  EXPECT_EQ(graph.resolve(loss, "decoder.head"), "decoder/head");
  EXPECT_EQ(graph.resolve(loss, "decoder.side"), "decoder/layers/1/attention.side");
  EXPECT_EQ(graph.resolve(loss, "decoder.none"), "decoder.none");
  EXPECT_EQ(graph.resolve(loss, "vocab"), "vocab");
  EXPECT_EQ(graph.resolve(loss, "vocab.port"), "vocab.port");
  EXPECT_EQ(graph.resolve(loss, "decoder/layers/0"), "decoder/layers/0/mlp");
  EXPECT_EQ(graph.resolve(embedding, "tokenizer"), "vocab");
  EXPECT_EQ(graph.resolve(node(graph, "bare/embedding"), "tokenizer"), std::nullopt);
  EXPECT_EQ(graph.resolve(embedding, "head"), "decoder/head");
  EXPECT_EQ(graph.resolve(embedding, "layers"), "decoder/layers/1/mlp");
  EXPECT_EQ(graph.resolve(attention, "hidden"), "decoder/layers/0/mlp");
  // Names of the graph around are not seen inside.
  EXPECT_EQ(graph.resolve(embedding, "vocab"), "decoder/vocab");
}

TEST_F(Subgraph, ResolveReferencesRewritesAndDrops) {
  GraphSpec graph = load_text(
      "[node.vocab]\nplugin = \"t/t\"\n[node.a]\ngraph = \"models/llama.toml\"\ntokenizer = \"vocab\"\nn_layers = 1\n"
      "[node.b]\ngraph = \"models/llama.toml\"\nn_layers = 1\n");
  resolve_references(graph, [](const NodeSpec&, const Entry& entry) { return entry.key == "tokenizer"; });
  EXPECT_EQ(key(graph, "a/embedding", "tokenizer"), "\"vocab\"");
  EXPECT_EQ(key(graph, "b/embedding", "tokenizer"), "");
  EXPECT_EQ(node(graph, "a/embedding").scope, "");
}

TEST_F(Subgraph, BindsInputs) {
  write("two.toml",
        "[graph]\ninputs = [\"left\", \"right\"]\noutputs = [\"o\"]\n[node.o]\nplugin = \"x/o\"\nin = [\"left\", \"right\"]\n"
        "[node.p]\nplugin = \"x/p\"\nin = { a = \"right\", b = \"o\" }\n");
  const std::string sources = "[node.x]\nplugin = \"s/s\"\n[node.y]\nplugin = \"s/s\"\n[node.z]\nplugin = \"s/s\"\n";
  struct Case {
    std::string binding;
    std::string expected;
  };
  for (const Case& c :
       {Case{"in = \"x\"\nright = \"y\"\n", R"(["x", "y"])"}, Case{"in = [\"x\", \"y\"]\nright = \"z.port\"\n", R"(["x", "y", "z.port"])"},
        Case{"in = { right = \"x\", left = \"y\" }\n", R"(["y", "x"])"}, Case{"left = \"x\"\nright = \"x\"\n", R"(["x", "x"])"}}) {
    const GraphSpec graph = load_text(sources + "[node.s]\ngraph = \"two.toml\"\n" + c.binding);
    EXPECT_EQ(findings(), Lines{}) << c.binding;
    EXPECT_EQ(key(graph, "s/o", "in"), c.expected);
  }
}

TEST_F(Subgraph, RepeatsAPluginInAChain) {
  const GraphSpec graph = load_text(
      "[params]\nn = 3\n[node.s]\nplugin = \"s/s\"\n"
      "[node.f]\nplugin = \"f/f\"\nin = [\"s\"]\nrepeat = \"${n}\"\nprefix = \"p${index}.\"\n"
      "[node.g]\nplugin = \"f/g\"\nin = { port = \"s\" }\nrepeat = 2\n"
      "[node.e]\nplugin = \"e/e\"\nin = { a = \"f.left\", b = \"f/0\", c = \"g\" }\ntie = \"f\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(names(graph), (Lines{"s", "f/0", "f/1", "f/2", "g/0", "g/1", "e"}));
  EXPECT_EQ(key(graph, "f/0", "in"), R"(["s"])");
  EXPECT_EQ(key(graph, "f/1", "in"), R"("f/0")");
  EXPECT_EQ(key(graph, "f/2", "in"), R"("f/1")");
  EXPECT_EQ(key(graph, "f/2", "prefix"), R"("p2.")");
  EXPECT_EQ(key(graph, "g/1", "in"), R"({ port = "g/0" })");
  EXPECT_EQ(key(graph, "e", "in"), R"({ a = "f/2.left", b = "f/0", c = "g/1" })");
  EXPECT_EQ(key(graph, "e", "tie"), R"("f/2")");
  EXPECT_EQ(graph.aliases.at("f"), "f/2");
}

TEST_F(Subgraph, ARepeatOfZeroVanishes) {
  write("sub.toml",
        "[graph]\ninputs = [\"hidden\"]\noutputs = [\"f\"]\n[params]\nn = 1\n[node.f]\nplugin = \"f/f\"\nin = \"hidden\"\nrepeat = "
        "\"${n}\"\n");
  const GraphSpec graph = load_text(
      "[node.s]\nplugin = \"s/s\"\n[node.t]\nplugin = \"s/t\"\n"
      "[node.f]\nplugin = \"f/f\"\nin = [\"s\", \"t\"]\nrepeat = 0\n"
      "[node.g]\nplugin = \"f/g\"\nin = \"f\"\nrepeat = 0\n"
      "[node.h]\ngraph = \"sub.toml\"\nin = \"s\"\nn = 0\n"
      "[node.e]\nplugin = \"e/e\"\nin = [\"g\", \"h\"]\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(names(graph), (Lines{"s", "t", "e"}));
  EXPECT_EQ(key(graph, "e", "in"), R"(["s", "t", "s"])");
}

TEST_F(Subgraph, IndexReachesIntoNestedSubgraphsUntilTheyRepeatThemselves) {
  write("outer.toml",
        "[graph]\ninputs = [\"h\"]\noutputs = [\"b\"]\n[node.a]\ngraph = \"inner.toml\"\nin = \"h\"\nprefix = \"a${index}.\"\n"
        "[node.b]\ngraph = \"inner.toml\"\nin = \"a\"\nrepeat = 2\nprefix = \"b${index}.\"\n");
  write("inner.toml", "[graph]\ninputs = [\"h\"]\noutputs = [\"n\"]\n[node.n]\nplugin = \"x/y\"\nin = \"h\"\nprefix = \"n${index}\"\n");
  const GraphSpec graph =
      load_text("[node.s]\nplugin = \"s/s\"\n[node.o]\ngraph = \"outer.toml\"\nin = \"s\"\nrepeat = 2\nprefix = \"o${index}.\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(names(graph), (Lines{"s", "o/0/a/n", "o/0/b/0/n", "o/0/b/1/n", "o/1/a/n", "o/1/b/0/n", "o/1/b/1/n"}));
  EXPECT_EQ(key(graph, "o/1/a/n", "prefix"), R"("o1.a1.n1")");
  EXPECT_EQ(key(graph, "o/1/b/0/n", "prefix"), R"("o1.b0.n0")");
  EXPECT_EQ(key(graph, "o/1/a/n", "in"), R"("o/0/b/1/n")");
}

TEST_F(Subgraph, ChainsThroughTheFirstInputAndKeepsTheOthers) {
  write("two.toml", "[graph]\ninputs = [\"h\", \"t\"]\noutputs = [\"n\"]\n[node.n]\nplugin = \"x/y\"\nin = [\"h\", \"t\"]\n");
  const GraphSpec graph = load_text(
      "[node.s]\nplugin = \"s/s\"\n[node.u]\nplugin = \"s/u\"\n[node.o]\ngraph = \"two.toml\"\nin = { t = \"u\", h = \"s\" }\nrepeat = "
      "2\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(key(graph, "o/0/n", "in"), R"(["s", "u"])");
  EXPECT_EQ(key(graph, "o/1/n", "in"), R"(["o/0/n", "u"])");
}

TEST_F(Subgraph, SetReachesEveryLevel) {
  const std::string text = "[node.m]\ngraph = \"models/llama.toml\"\nn_layers = 2\n";
  const GraphSpec graph = load_text(text, {{"node.m.d_model", "32"},
                                           {"node.m/layers.eps", "0.25"},
                                           {"node.m/layers/1.eps", "2"},
                                           {"node.m/layers/0/attention.heads", "8"},
                                           {"node.m/head.in", "embedding"}});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(key(graph, "m/embedding", "d_model"), "32");
  EXPECT_EQ(key(graph, "m/layers/0/attention", "eps"), "0.25");
  EXPECT_EQ(key(graph, "m/layers/1/attention", "eps"), "2.0");
  EXPECT_EQ(key(graph, "m/layers/0/attention", "heads"), "8");
  EXPECT_EQ(key(graph, "m/layers/1/attention", "heads"), "");
  EXPECT_EQ(key(graph, "m/head", "in"), R"("m/embedding")");
}

TEST_F(Subgraph, AnEmptyTieMeansNone) {
  const GraphSpec graph = load_text("[node.a]\nplugin = \"x/y\"\ntie = \"\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_TRUE(graph.nodes[0].reserved.empty());
}

TEST_F(Subgraph, GivenStringsAreNotSubstitutedTwice) {
  write("sub.toml", "[graph]\noutputs = [\"a\"]\n[params]\ntext = \"\"\n[node.a]\nplugin = \"x/y\"\ntext = \"${text}\"\n");
  const GraphSpec graph = load_text("[node.s]\ngraph = \"sub.toml\"\ntext = \"$${text}\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(std::get<std::string>(find(node(graph, "s/a").keys, "text")->value.data), "${text}");
}

TEST_F(Subgraph, ErrorsInARepeatedSubgraphAreReportedOnce) {
  write("sub.toml", "[graph]\ninputs = [\"h\"]\noutputs = [\"a\"]\n[node.a]\nplugin = \"x/y\"\nin = [\"h\", \"nowhere\"]\nthreads = 0\n");
  load_text("[node.s]\nplugin = \"s/s\"\n[node.r]\ngraph = \"sub.toml\"\nin = \"s\"\nrepeat = 50\n");
  EXPECT_EQ(findings(),
            (Lines{"sub.toml:6:12 unknown_node no node 'nowhere'", "sub.toml:7:11 out_of_range 'threads' is 0, expected at least 1"}));
}

}  // namespace
}  // namespace flowrun::config
