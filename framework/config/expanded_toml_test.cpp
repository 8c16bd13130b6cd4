// The flat file that `graph --expand` and run.toml are: it means the same as the files that it comes from.

#include "config/graph_fixture.hpp"

namespace flowrun::config {
namespace {

using Lines = std::vector<std::string>;

/// Equality of two values: everything but places and folders.
bool same(const Value& a, const Value& b);
bool same(const Table& a, const Table& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Entry& x, const Entry& y) { return x.key == y.key && same(x.value, y.value); });
}
bool same(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const auto* array = std::get_if<Array>(&a.data)) {
    const Array& other = std::get<Array>(b.data);
    return std::equal(array->begin(), array->end(), other.begin(), other.end(), [](const Value& x, const Value& y) { return same(x, y); });
  }
  if (const auto* table = std::get_if<Table>(&a.data)) return same(*table, std::get<Table>(b.data));
  if (const auto* number = std::get_if<double>(&a.data); number != nullptr && *number != *number) {
    const double other = std::get<double>(b.data);
    return other != other;
  }
  if (const auto* flag = std::get_if<bool>(&a.data)) return *flag == std::get<bool>(b.data);
  if (const auto* integer = std::get_if<std::int64_t>(&a.data)) return *integer == std::get<std::int64_t>(b.data);
  if (const auto* number = std::get_if<double>(&a.data)) return *number == std::get<double>(b.data);
  return std::get<std::string>(a.data) == std::get<std::string>(b.data);
}

void expect_same(const GraphSpec& a, const GraphSpec& b) {
  EXPECT_EQ(a.run.name, b.run.name);
  EXPECT_EQ(a.run.seed, b.run.seed);
  EXPECT_EQ(a.run.device, b.run.device);
  EXPECT_EQ(a.run.precision, b.run.precision);
  EXPECT_EQ(a.run.threads, b.run.threads);
  EXPECT_EQ(a.run.memory_bytes, b.run.memory_bytes);
  EXPECT_EQ(a.run.batch_bytes, b.run.batch_bytes);
  EXPECT_EQ(a.run.batch_documents, b.run.batch_documents);
  EXPECT_EQ(a.run.part_bytes, b.run.part_bytes);
  EXPECT_EQ(a.run.limit, b.run.limit);
  EXPECT_EQ(a.run.max_error_fraction, b.run.max_error_fraction);
  EXPECT_EQ(a.run.base, b.run.base);
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const NodeSpec& x = a.nodes[i];
    const NodeSpec& y = b.nodes[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.plugin, y.plugin);
    EXPECT_EQ(x.scope, y.scope);
    EXPECT_TRUE(same(x.keys, y.keys)) << x.name;
    ASSERT_EQ(x.in.has_value(), y.in.has_value()) << x.name;
    EXPECT_TRUE(!x.in || same(*x.in, *y.in)) << x.name;
    ASSERT_EQ(x.reserved.size(), y.reserved.size()) << x.name;
    for (const auto& [key, value] : x.reserved) {
      ASSERT_TRUE(y.reserved.contains(key)) << x.name << " " << key;
      EXPECT_TRUE(same(value, y.reserved.at(key))) << x.name << " " << key;
    }
  }
  ASSERT_EQ(a.huggingface.size(), b.huggingface.size());
  for (std::size_t i = 0; i < a.huggingface.size(); ++i) {
    EXPECT_EQ(a.huggingface[i].model, b.huggingface[i].model);
    EXPECT_EQ(a.huggingface[i].output, b.huggingface[i].output);
    EXPECT_TRUE(same(a.huggingface[i].keys, b.huggingface[i].keys));
    EXPECT_EQ(a.aliases.at(a.huggingface[i].model), b.aliases.at(a.huggingface[i].model));
  }
}

class ExpandedToml : public GraphFixture {};

TEST_F(ExpandedToml, MeansTheSameAsTheFilesItComesFrom) {
  write("model.toml",
        "[graph]\ninputs = [\"tokenizer\"]\noutputs = [\"head\"]\n[params]\nn = 2\n"
        "[node.embedding]\nplugin = \"blocks/token_embedding\"\ntokenizer = \"tokenizer\"\nprefix = \"model.\"\n"
        "[node.layers]\nplugin = \"blocks/attention\"\nin = \"embedding\"\nrepeat = \"${n}\"\nprefix = \"model.layers.${index}.\"\n"
        "[node.head]\nplugin = \"blocks/lm_head\"\nin = \"layers\"\ntie = \"embedding\"\n"
        "[huggingface]\nmodel_type = \"llama\"\nrope_scaling = { type = \"linear\", factor = 2.0 }\n\"odd key\" = 1\n");
  write("graph.toml",
        "[run]\nname = \"r\"\nseed = 9223372036854775807\nthreads = 3\nmax_error_fraction = 1e-30\nlimit = 7\n"
        "[node.words]\nplugin = \"readers/text\"\npaths = [\"a b\", 'c\"\\d', \"é\\u0001\\n\\t\\u007F\", \"$${x} $$${x} $$ $\"]\ncache = "
        "true\non_error = \"skip\"\n"
        "[node.vocab]\nplugin = \"t/t\"\nin = { text = \"words.train\" }\nmemory_bytes = 5\nseed = 4\n"
        "floats = [0.1, 1e300, -0.0, 1.0, inf, -inf, nan, 123456789012345680.0]\nintegers = [-9223372036854775808, 0x10]\n"
        "\"quoted key\" = { \"\" = 1, b.c = [[], {}] }\nflag = false\n"
        "[node.decoder]\ngraph = \"model.toml\"\ntokenizer = \"vocab\"\n[node.bare]\ngraph = \"model.toml\"\nn = 1\n"
        "[node.loss]\nplugin = \"o/o\"\nin = [\"words.a\", \"words.b\"]\nmodel = \"decoder\"\ntext = \"decoder\"\n");
  GraphSpec graph = load("graph.toml");
  EXPECT_EQ(findings(), Lines{});
  resolve_references(graph, [](const NodeSpec&, const Entry& entry) { return entry.key == "tokenizer" || entry.key == "model"; });
  EXPECT_EQ(key(graph, "loss", "model"), "\"decoder/head\"");
  EXPECT_EQ(key(graph, "loss", "text"), "\"decoder\"");
  EXPECT_EQ(key(graph, "bare/embedding", "tokenizer"), "");

  const std::string text = expanded_toml(graph);
  write("elsewhere/run.toml", text);
  const GraphSpec again = load("elsewhere/run.toml");
  EXPECT_EQ(findings(), Lines{});
  expect_same(graph, again);
  EXPECT_EQ(expanded_toml(again), text);
}

TEST_F(ExpandedToml, LooksAsAPersonWouldWriteIt) {
  write("graph.toml", "[run]\nbase = \"/data\"\n[node.a]\nx = 1e-3\nplugin = \"r/r\"\n[node.b]\nin = \"a\"\ngraph = \"m.toml\"\n");
  write("m.toml",
        "[graph]\ninputs = [\"h\"]\noutputs = [\"c\"]\n[node.c]\nplugin = \"b/c\"\nin = \"h\"\nprefix = \"c.\"\n[huggingface]\nmodel_type "
        "= \"m\"\n");
  const GraphSpec graph = load("graph.toml", {{"node.b.graph", path("m.toml")}});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(expanded_toml(graph),
            "[run]\nname = \"graph\"\nseed = 0\ndevice = \"cpu\"\nprecision = \"fp32\"\nmemory_bytes = 1073741824\nbatch_bytes = 524288\n"
            "batch_documents = 4096\npart_bytes = 1073741824\nmax_error_fraction = 0.01\nbase = \"/data\"\n"
            "\n[node.a]\nplugin = \"r/r\"\nx = 0.001\n"
            "\n[node.\"b/c\"]\nplugin = \"b/c\"\nin = \"a\"\nprefix = \"c.\"\n"
            "\n[huggingface.b]\noutput = \"b/c\"\nmodel_type = \"m\"\n");
}

TEST_F(ExpandedToml, ReferencesByTheModelsNameStillWorkInAFlatFile) {
  const GraphSpec graph = load_text(
      "[node.\"m/head\"]\nplugin = \"b/h\"\n[node.loss]\nplugin = \"o/o\"\nmodel = \"m\"\nin = \"m\"\n[huggingface.m]\noutput = "
      "\"m/head\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(key(graph, "loss", "in"), "\"m/head\"");
  EXPECT_EQ(graph.resolve(node(graph, "loss"), "m"), "m/head");
  EXPECT_EQ(graph.aliases.at("m"), "m/head");
}

}  // namespace
}  // namespace flowrun::config
