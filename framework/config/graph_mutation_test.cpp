// Damaged graph files: whatever the bytes, the loader ends, with findings or a graph. Seeded, so a failure can be repeated.

#include <random>

#include "config/diagnostics_json.hpp"
#include "config/graph_fixture.hpp"

#include <nlohmann/json.hpp>

namespace flowrun::config {
namespace {

const char* const kTop =
    "include = [\"base.toml\"]\n[run]\nname = \"fuzz\" # comment\nseed = 0x2A\nmax_error_fraction = 0.5\n"
    "[params]\nn = 3\nrate = 1e-3\ntext = \"a ${n} $${n}\"\nlist = [1, [2, 3], { a.b = 1 }]\n"
    "[node.words]\nplugin = \"readers/text\"\npaths = ['*.txt', \"\"\"multi\nline\"\"\"]\n"
    "[node.filter]\nplugin = \"f/${n}\"\nin = \"words.train\"\nrepeat = \"${n}\"\nprefix = \"p${index}.\"\non_error = \"skip\"\n"
    "[node.model]\ngraph = \"model.toml\"\nin = { hidden = \"filter\" }\ntokenizer = \"words\"\nrate = 2\n"
    "[node.loss]\nplugin = \"o/clm\"\nin = [\"model\", \"model.side\"]\nmodel = \"model\"\nthreads = 2\ncache = true\nlist = \"${list}\"\n";
const char* const kModel =
    "[graph]\ninputs = [\"hidden\", \"tokenizer\"]\noutputs = [\"b\", \"a.side\"]\n[params]\nrate = 1.0\n"
    "[node.a]\nplugin = \"x/a\"\nin = \"hidden\"\ntokenizer = \"tokenizer\"\n[node.b]\ngraph = \"inner.toml\"\nin = \"a\"\nrepeat = "
    "2\nprefix = \"b${index}.\"\n"
    "[huggingface]\nmodel_type = \"m\"\nrate = \"${rate}\"\n";
const char* const kInner =
    "[graph]\ninputs = [\"h\"]\noutputs = [\"c\"]\n[node.c]\nplugin = \"x/c\"\nin = \"h\"\ntext = \"\"\"é\\\n  § 、\"\"\"\nprefix = "
    "\"c\"\ntie = \"c\"\n";

/// Words that steer damage to places where a parser decides something.
const std::vector<std::string> kWords = {"[",           "]",      "[[",
                                         "{",           "}",      "\"",
                                         "\"\"\"",      "'''",    "\n",
                                         "=",           ".",      ",",
                                         "#",           "${",     "}",
                                         "$${",         "\\u",    "\xFF",
                                         "\xC3",        "é",      "\r",
                                         "node.",       "graph",  "[node.words]\n",
                                         "in = ",       "repeat", "99999999999999999999",
                                         "-1",          "1e999",  "include = [\"top.toml\"]\n",
                                         "index",       "/",      "model",
                                         "\xEF\xBB\xBF"};

class GraphMutation : public GraphFixture {
 protected:
  std::string mutate(std::string text, std::mt19937& random) {
    const int count = std::uniform_int_distribution(1, 6)(random);
    for (int i = 0; i < count && !text.empty(); ++i) {
      const auto below = [&](std::size_t size) { return std::uniform_int_distribution<std::size_t>(0, size - 1)(random); };
      const std::size_t at = below(text.size());
      switch (below(5)) {
        case 0: text[at] = static_cast<char>(below(256)); break;
        case 1: text.erase(at, 1 + below(20)); break;
        case 2: text.insert(at, kWords[below(kWords.size())]); break;
        case 3: text.insert(at, text.substr(below(text.size()), 1 + below(60))); break;
        default: text.resize(at); break;
      }
    }
    return text;
  }

  /// Loads what stands there and uses all of the result.
  void load_all(const std::vector<Override>& overrides) {
    GraphSpec graph = load("top.toml", overrides);
    const std::vector<Diagnostic> found = diagnostics_.sorted();
    for (const Diagnostic& d : found) {
      EXPECT_GE(d.where.line, 1U) << d.message;
      EXPECT_GE(d.where.column, 1U) << d.message;
      EXPECT_TRUE(graph.sources.contains(d.where.file)) << d.where.file;
      EXPECT_FALSE(d.message.empty());
      EXPECT_FALSE(render(d, graph.sources, true).empty());
    }
    EXPECT_FALSE(validation_report("top.toml", found).dump().empty());
    resolve_references(graph, [](const NodeSpec&, const Entry&) { return true; });
    const std::string text = expanded_toml(graph);
    if (diagnostics_.has_errors()) return;
    // A graph without errors has a flat form without errors.
    write("flat.toml", text);
    EXPECT_EQ(expanded_toml(load("flat.toml")), text);
    EXPECT_TRUE(findings().empty()) << findings().front() << "\n" << text;
  }
};

TEST_F(GraphMutation, NeverCrashesOrHangs) {
  constexpr int kRounds = 3000;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"top.toml", kTop}, {"model.toml", kModel}, {"inner.toml", kInner}, {"base.toml", "[run]\nseed = 1\n"}};
  for (const auto& [name, text] : files) write(name, text);
  load_all({});
  ASSERT_TRUE(findings().empty()) << findings().front();

  int without_errors = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(round));
    std::mt19937 random(static_cast<std::uint32_t>(round));
    const auto& [name, text] = files[random() % files.size()];
    write(name, mutate(text, random));
    std::vector<Override> overrides;
    if (random() % 4 == 0) overrides.push_back({mutate("node.model/a.x.y", random), mutate("[1, \"${n}\", { a = 1 }]", random)});
    load_all(overrides);
    without_errors += diagnostics_.has_errors() ? 0 : 1;
    write(name, text);
    if (HasFailure()) return;
  }
  // Both outcomes are tried: damage that is found, and damage that leaves a graph.
  EXPECT_GT(without_errors, kRounds / 50);
  EXPECT_LT(without_errors, kRounds / 2);
}

}  // namespace
}  // namespace flowrun::config
