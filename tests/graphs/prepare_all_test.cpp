// graphs/prepare-all.toml over a little of every kind of source, made here: seven readers, one clean stream, a mixture, and shards that are read back.

#include "graphs/graph_test.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/tar_for_test.hpp"

namespace flowrun::testing {
namespace {

using Json = nlohmann::json;

class PrepareAll : public GraphTest {
 protected:
  PrepareAll() {
    write_web();
    for (int i = 0; i < 8; ++i) write_book(i);
    write_code();
    for (int i = 0; i < 6; ++i) write_paper(i);
    write_wikipedia();
    write_questions();
    write_tables();
  }

  /// Returns `n` documents of prose, one after another.
  std::string prose(int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += prose_.document() + "\n\n";
    return text;
  }

  void write_web() {
    std::string lines;
    for (int i = 0; i < 300; ++i) lines += Json{{"id", "w" + std::to_string(i)}, {"text", prose_.document()}, {"url", "https://example.org/" + std::to_string(i)}}.dump() + "\n";
    lines += "{\"id\": \"broken\", \"text\": \n";  // on_error = "skip"
    write("sources/web/pages.jsonl.zst", readers::zstd(lines));
  }
  void write_book(int i) {
    const std::string title = "BOOK " + std::to_string(i);
    write("sources/books/pg" + std::to_string(i) + ".txt", "The Project Gutenberg eBook of " + title + "\n\nTitle: " + title + "\n\nAuthor: Ann Other\n\nLanguage: English\n\n*** START OF THE PROJECT GUTENBERG EBOOK " +
                                                               title + " ***\n\n" + prose(10) + "\n\n*** END OF THE PROJECT GUTENBERG EBOOK " + title + " ***\n\nLicence\n");
  }
  void write_code() {
    std::vector<std::pair<std::string, std::string>> files;
    for (int i = 0; i < 40; ++i) {
      std::string file = "# SPDX-License-Identifier: MIT\n";
      for (int k = 0; k < 20; ++k) file += "def function_" + std::to_string(100 * i + k) + "(value):\n    return value + " + std::to_string(k * i) + "\n";
      files.emplace_back("project/src/part" + std::to_string(i) + ".py", file);
    }
    files.emplace_back("project/vendor/copied.py", "x = 1\n");
    write("sources/code/project.tar.gz", readers::gzip(readers::tar(files)));
  }
  void write_paper(int i) {
    const std::string main = "\\documentclass{article}\n\\title{Paper " + std::to_string(i) + "}\n\\begin{document}\n\\maketitle\n\\section{Start}\n" + prose(3) + "\\input{rest}\n\\end{document}\n";
    write("sources/papers/paper" + std::to_string(i) + ".tar.gz", readers::gzip(readers::tar({{"main.tex", main}, {"rest.tex", prose(2)}})));
  }
  void write_wikipedia() {
    std::string dump = "<mediawiki xmlns=\"http://www.mediawiki.org/xml/export-0.11/\" version=\"0.11\" xml:lang=\"en\">\n<siteinfo><sitename>Wiki</sitename><dbname>wiki</dbname></siteinfo>\n";
    for (int i = 0; i < 40; ++i) {
      const std::string number = std::to_string(i + 1);
      dump += "<page><title>Page " + number + "</title><ns>0</ns><id>" + number + "</id><revision><id>" + number + "</id><timestamp>2024-01-01T00:00:00Z</timestamp><model>wikitext</model>" +
              "<format>text/x-wiki</format><text xml:space=\"preserve\">'''Page''' has a [[link|word]].\n== Part ==\n" + prose(2) + "</text></revision></page>\n";
    }
    write("sources/wikipedia/wiki.xml.bz2", readers::bzip2(dump + "</mediawiki>\n"));
  }
  void write_questions() {
    std::string posts = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<posts>\n";
    for (int i = 1; i <= 60; i += 2) {
      const auto body = [&] { return "&lt;p&gt;" + prose_.document() + "&lt;/p&gt;"; };
      posts += "<row Id=\"" + std::to_string(i) + "\" PostTypeId=\"1\" Score=\"" + std::to_string(i % 5) + "\" Title=\"Question " + std::to_string(i) + "\" Tags=\"|c++|\" Body=\"" + body() + "\" />\n";
      posts += "<row Id=\"" + std::to_string(i + 1) + "\" PostTypeId=\"2\" ParentId=\"" + std::to_string(i) + "\" Score=\"1\" Body=\"" + body() + "\" />\n";
    }
    write("sources/questions/site/Posts.xml", posts + "</posts>\n");
  }
  void write_tables() {
    std::string rows = "id,text\n";
    for (int i = 0; i < 50; ++i) rows += std::to_string(i) + ",\"" + prose_.document() + "\"\n";
    write("sources/tables/rows.csv", rows);
  }

  Prose prose_{21};
  const std::vector<std::string> settings_{"params.sources=" + path("sources"), "params.vocab_size=500", "node.parts.heldout_fraction=0.1", "params.epochs=1.0"};
};

TEST_F(PrepareAll, MixesEveryKindOfSourceIntoShardsThatAreReadBack) {
  const auto finished = run_graph("prepare-all.toml", "run", settings_);
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto funnel = json("run/funnel.json");
  expect_exact_sums(funnel);
  for (const char* reader : {"web", "books", "code", "papers", "wikipedia", "questions", "tables"}) EXPECT_GT(funnel["nodes"][reader]["out"]["documents"].get<int>(), 0) << reader;
  EXPECT_EQ(funnel["nodes"]["web"]["errors"]["bad_json"]["documents"], 1);
  EXPECT_GT(funnel["nodes"]["good"]["dropped"].size(), 0u);

  std::vector<std::string> arguments{"plan", kSource + "/graphs/prepare-all.toml", "--artifacts", "artifacts", "--json"};
  for (const auto& setting : settings_) arguments.insert(arguments.end(), {"--set", setting});
  const auto planned = flowrun(arguments, {{"FLOWRUN_PLUGIN_PATH", ""}});
  ASSERT_EQ(planned.exit_code, 0) << planned;
  const auto mix = Json::parse(planned.out)["mixes"][0];
  ASSERT_EQ(mix["domains"].size(), 7u);

  // The shards, read back by the reader of token datasets, hold what the mixture draws: ids, domains, scores and all.
  write("back.toml", R"([node.tokens]
plugin = "readers/tokens"
paths = ["run/tokens/train/*"]
cache = true
)");
  const auto back = flowrun({"run", "back.toml", "--output", "back", "--artifacts", "artifacts"}, {{"FLOWRUN_PLUGIN_PATH", ""}});
  ASSERT_EQ(back.exit_code, 0) << back;
  const auto tokens = tokens_by_domain("back", "tokens");
  EXPECT_EQ(tokens.size(), 7u);
  std::int64_t sum = 0;
  for (const auto& [domain, n] : tokens) sum += n;
  EXPECT_EQ(sum, mix["tokens"].get<std::int64_t>());
  for (const auto& domain : mix["domains"]) {
    const std::string name = domain["domain"];
    EXPECT_NEAR(static_cast<double>(tokens.at(name)) / static_cast<double>(sum), domain["proportion"].get<double>(), 1e-9) << name;
    EXPECT_LE(domain["epochs"].get<double>(), 4.2) << name;
  }
}

TEST_F(PrepareAll, ASecondRunMakesNothingAgain) {
  ASSERT_EQ(run_graph("prepare-all.toml", "run", settings_).exit_code, 0);
  const auto again = run_graph("prepare-all.toml", "again", settings_);
  ASSERT_EQ(again.exit_code, 0) << again;
  const auto summary = Json::parse(again.out);
  EXPECT_GE(summary["stages"].size(), 4u);
  for (const auto& stage : summary["stages"]) EXPECT_EQ(stage["cached"], true) << stage;
  EXPECT_EQ(differences(read_tree(path("run/tokens")), read_tree(path("again/tokens"))), std::vector<std::string>{});
}

}  // namespace
}  // namespace flowrun::testing
