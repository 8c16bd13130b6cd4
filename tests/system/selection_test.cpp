// A blocking node that says which rows of its input go: those that stay come out in order with all their columns, those that go are accounted for.

#include <fmt/format.h>

#include "support/run_test.hpp"
#include "support/unpack_zstd.hpp"

namespace flowrun::testing {
namespace {

class Selection : public RunTest {
 protected:
  Finished run_with(const std::string& rows, const std::string& source = "units = 5\ndocuments = 1000\n") {
    write("graph.toml", "[run]\nname = \"t\"\nbatch_documents = 7\n[node.numbers]\nplugin = \"test/source_numbers\"\n" + source +
                            fmt::format("[node.select]\nplugin = \"test/select_rows\"\nin = \"numbers\"\nrows = [{}]\n", rows) +
                            "[node.out]\nplugin = \"writers/jsonl\"\nin = \"select\"\npath = \"out.jsonl\"\n");
    return flowrun({"run", "graph.toml", "--output", "run", "--no-cache", "--threads", "2", "--fresh"});
  }
};

TEST_F(Selection, LeavesOutTheRowsAndAccountsForThem) {
  const auto finished = run_with("\"0\", \"17\", \"4999\"");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto funnel = json("run/funnel.json");
  expect_exact_sums(funnel);
  EXPECT_EQ(funnel["nodes"]["select"]["in"]["documents"], 5000);
  EXPECT_EQ(funnel["nodes"]["select"]["out"]["documents"], 4997);
  EXPECT_EQ(funnel["nodes"]["select"]["dropped"]["named"]["documents"], 3);
  EXPECT_EQ(funnel["nodes"]["out"]["in"], funnel["nodes"]["select"]["out"]);

  const auto kept = json_lines("run/out.jsonl");
  ASSERT_EQ(kept.size(), 4997u);
  const std::string drops = unpack_zstd(read("run/dropped.jsonl.zst"));
  EXPECT_EQ(std::count(drops.begin(), drops.end(), '\n'), 3) << drops;
  EXPECT_NE(drops.find("\"node\":\"select\",\"reason\":\"named\",\"value\":17,\"threshold\":null,\"kept\":\""), std::string::npos) << drops;
}

TEST_F(Selection, LeavesOutNothingAndEverything) {
  ASSERT_EQ(run_with("").exit_code, 0);
  EXPECT_EQ(json_lines("run/out.jsonl").size(), 5000u);
  ASSERT_EQ(run_with("\"0\", \"1\"", "units = 1\ndocuments = 2\n").exit_code, 0);
  EXPECT_EQ(json_lines("run/out.jsonl").size(), 0u);
  expect_exact_sums(json("run/funnel.json"));
}

TEST_F(Selection, RefusesRowsThatAreNotThereOrNotInOrder) {
  const std::pair<const char*, const char*> cases[] = {{"\"5\", \"5000\"", "the plugin drops row 5000 of 5000"},
                                                       {"\"5\", \"5\"", "the plugin drops row 5 after row 5"},
                                                       {"\"9\", \"2\"", "the plugin drops row 2 after row 9"}};
  for (const auto& [rows, message] : cases) {
    const auto finished = run_with(rows);
    EXPECT_EQ(finished.exit_code, 70) << finished;
    EXPECT_NE(finished.err.find(message), std::string::npos) << finished;
    EXPECT_NE(finished.err.find("in node 'select'"), std::string::npos) << finished;
  }
}

}  // namespace
}  // namespace flowrun::testing
