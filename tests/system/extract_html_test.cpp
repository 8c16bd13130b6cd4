// From HTML files to texts: the same bytes for any threads and any batches, and every page in the funnel.

#include <filesystem>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

namespace fs = std::filesystem;

class ExtractHtmlRun : public RunTest {
 protected:
  void SetUp() override {
    const fs::path pages = FLOWRUN_SOURCE_DIR "/plugins/filters/extract_html/testdata/pages";
    int count = 0;
    for (int copy = 0; copy < 20; ++copy)
      for (const auto& entry : fs::directory_iterator(pages))
        if (entry.path().extension() == ".html") {
          std::ifstream in(entry.path(), std::ios::binary);
          const std::string page{std::istreambuf_iterator<char>(in), {}};
          write("pages/" + std::to_string(count++) + ".html", page + "<p>" + std::to_string(copy));
        }
    std::string deep;
    for (int i = 0; i < 2000; ++i) deep += "<div>";
    write("pages/deep.html", deep);
    write("pages/nothing.html", "<title>x</title>");
    write("graph.toml", "[run]\nname = \"t\"\n[node.pages]\nplugin = \"readers/html\"\npaths = [\"pages/*.html\"]\n[node.texts]\nplugin = \"filters/extract_html\"\nin = \"pages\"\n"
                        "[node.out]\nplugin = \"writers/jsonl\"\nin = \"texts\"\npath = \"out.jsonl\"\n");
  }

  std::string run_with(const std::string& output, const std::string& threads, const std::string& batch_bytes) {
    const auto finished = flowrun({"run", "graph.toml", "--no-cache", "--output", output, "--threads", threads, "--set", "run.batch_bytes=" + batch_bytes});
    EXPECT_EQ(finished.exit_code, 0) << finished;
    const auto funnel = json(output + "/funnel.json");
    expect_exact_sums(funnel);
    EXPECT_EQ(funnel["nodes"]["texts"]["in"]["documents"], 242);
    EXPECT_EQ(funnel["nodes"]["texts"]["out"]["documents"], 240);
    EXPECT_EQ(funnel["nodes"]["texts"]["dropped"]["too_deep"]["documents"], 1);
    EXPECT_EQ(funnel["nodes"]["texts"]["dropped"]["no_text"]["documents"], 1);
    return read(output + "/out.jsonl") + read(output + "/dropped.jsonl.zst");
  }
};

TEST_F(ExtractHtmlRun, GivesTheSameBytesForAnyThreadsAndBatches) {
  const std::string first = run_with("first", "1", "524288");
  EXPECT_NE(first.find("\"language\":\"en-GB\""), std::string::npos);
  for (const char* threads : {"1", "2", "4"})
    for (const char* bytes : {"1000", "20000", "524288"}) EXPECT_TRUE(run_with(std::string("t") + threads + "-" + bytes, threads, bytes) == first) << threads << " threads, " << bytes << " bytes";
}

}  // namespace
}  // namespace flowrun::testing
