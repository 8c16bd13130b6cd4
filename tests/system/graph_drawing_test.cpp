// `flowrun graph`: the pictures.

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class GraphDrawing : public RunTest {
 protected:
  GraphDrawing() {
    write("in.txt", "text");
    write("inner.toml", "[graph]\ninputs = [\"documents\"]\noutputs = [\"split.train\"]\n[node.split]\nplugin = \"filters/split\"\nin = \"documents\"\nheldout_fraction = 0.5\n");
    write("graph.toml",
          "[run]\nname = \"t\"\n[node.text]\nplugin = \"readers/text\"\npaths = [\"in.txt\"]\n[node.half]\ngraph = \"inner.toml\"\nin = \"text\"\n"
          "[node.words]\nplugin = \"tokenizers/bpe_trainer\"\nin = \"half\"\nvocab_size = 300\n[node.tokens]\nplugin = \"tokenizers/bpe\"\nin = \"half\"\ntokenizer = \"words\"\ncache = true\n");
  }
  Finished draw(const std::string& file) const { return flowrun({"graph", "graph.toml", "-o", file}); }
};

TEST_F(GraphDrawing, MermaidHasEveryNodeAndEdgeAndFramesOfSubgraphs) {
  const auto finished = draw("graph.mmd");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(read("graph.mmd"),
            "flowchart LR\n"
            "  n0[\"text<br>readers/text\"]\n"
            "  n2[\"words<br>tokenizers/bpe_trainer\"]\n"
            "  n3[\"tokens<br>tokenizers/bpe\"]\n"
            "  subgraph f0 [\"half\"]\n"
            "    n1[\"split<br>filters/split\"]\n"
            "  end\n"
            "  n0 -->|\"documents\"| n1\n"
            "  n1 -->|\"train: documents\"| n2\n"
            "  n1 -->|\"train: documents\"| n3\n"
            "  n2 -.->|\"tokenizer\"| n3\n");
}

TEST_F(GraphDrawing, SvgIsWhatGraphvizMakesOfTheDot) {
  const auto finished = draw("graph.svg");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const std::string svg = read("graph.svg");
  EXPECT_EQ(svg.rfind("<?xml", 0), 0u);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  for (const char* title : {"text", "half/split", "words", "tokens", "text&#45;&gt;half/split", "half/split&#45;&gt;words", "half/split&#45;&gt;tokens", "words&#45;&gt;tokens", "cluster_half"})
    EXPECT_NE(svg.find("<title>" + std::string(title) + "</title>"), std::string::npos) << title << "\n" << svg;
  ASSERT_EQ(draw("graph.dot").exit_code, 0);
  const auto parsed = run({{"/bin/sh", "-c", "dot -Tcanon graph.dot"}, path("")});
  EXPECT_EQ(parsed.exit_code, 0) << parsed;
}

TEST_F(GraphDrawing, SaysWhatIsMissingAndWhatItCanWrite) {
  const auto without = run({{kFlowrun, "graph", "graph.toml", "-o", "graph.svg"}, path(""), {{"PATH", path("")}}});
  EXPECT_EQ(without.exit_code, 69) << without;
  EXPECT_NE(without.err.find("'dot' is not installed"), std::string::npos) << without;
  EXPECT_FALSE(std::filesystem::exists(path("graph.svg")));
  const auto other = draw("graph.png");
  EXPECT_EQ(other.exit_code, 2) << other;
  EXPECT_NE(other.err.find("found '.png', expected .dot, .svg or .mmd"), std::string::npos) << other;
}

}  // namespace
}  // namespace flowrun::testing
