// Damaged and strange input: reported with file and offset, kept or refused as `on_error` says, and accounted for exactly.

#include <fmt/format.h>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Damage : public PipelineTest {
 protected:
  /// Runs one reader of `paths`, all that it gives written to run/out.jsonl.
  Finished read_files(const std::string& plugin, const std::string& paths, const std::string& keys, const std::string& run_keys = "max_error_fraction = 1.0") {
    write("graph.toml", fmt::format("[run]\nname = \"t\"\n{}\n[node.in]\nplugin = \"readers/{}\"\npaths = [\"{}\"]\n{}\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"in\"\npath = \"out.jsonl\"\n",
                                    run_keys, plugin, paths, keys));
    for (const char* folder : {"run", "artifacts"}) std::filesystem::remove_all(path(folder));
    return flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts", "--json"});
  }
  nlohmann::json reader_counts() const {
    const auto funnel = json("run/funnel.json");
    expect_exact_sums(funnel);
    return funnel["nodes"]["in"];
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> list;
    for (const auto& line : json_lines("run/out.jsonl")) list.push_back(line["text"]);
    return list;
  }

  static std::string jsonl(int documents, std::uint64_t seed = 1) {
    Prose prose(seed);
    std::string lines;
    for (int i = 0; i < documents; ++i) lines += nlohmann::json{{"text", prose.document()}, {"n", i}}.dump() + "\n";
    return lines;
  }
};

/// A stored form, and a way to damage it.
struct DamageCase {
  const char* name;
  const char* suffix;
  bool cut;  ///< else a byte is flipped
};

class DamagedFile : public Damage, public ::testing::WithParamInterface<DamageCase> {
 protected:
  static constexpr int kDocuments = 4000;
  void SetUp() override {
    const std::string lines = jsonl(kDocuments), suffix = GetParam().suffix;
    std::string stored = suffix == ".gz" ? readers::gzip(lines) : readers::zstd(lines);
    damaged_at_ = stored.size() / 2;
    if (GetParam().cut) stored.resize(damaged_at_);
    else stored[damaged_at_] = static_cast<char>(stored[damaged_at_] ^ 0x55);
    write("in/0.jsonl", jsonl(10, 2));
    write("in/1.jsonl" + suffix, stored);
    write("in/2.jsonl", jsonl(10, 3));
    code_ = suffix == ".gz" ? "damaged_gzip" : "damaged_zstd";
    stored_bytes_ = stored.size();
  }
  std::size_t damaged_at_ = 0, stored_bytes_ = 0;
  std::string code_;
};

TEST_P(DamagedFile, StopsTheRunAndIsNamedWithItsOffset) {
  const auto stopped = read_files("jsonl", "in/*", "");
  EXPECT_EQ(stopped.exit_code, 65) << stopped;
  EXPECT_NE(stopped.err.find(fmt::format("in/1.jsonl{}", GetParam().suffix)), std::string::npos) << stopped;
  EXPECT_NE(stopped.err.find("in node 'in' (readers/jsonl"), std::string::npos) << stopped;
  const auto found = stopped.err.find(", byte ");
  const auto other = stopped.err.find("byte ");
  ASSERT_NE(other, std::string::npos) << stopped;
  const std::size_t offset = std::stoull(stopped.err.substr((found == std::string::npos ? other + 5 : found + 7)));
  EXPECT_LE(offset, stored_bytes_) << stopped;
  EXPECT_FALSE(std::filesystem::exists(path("run/out.jsonl")));
  EXPECT_EQ(json("run/manifest.json")["exit_code"], 65);
}

TEST_P(DamagedFile, IsSkippedAndAccountedFor) {
  const auto skipped = read_files("jsonl", "in/*", "on_error = \"skip\"");
  ASSERT_EQ(skipped.exit_code, 0) << skipped;
  const auto counts = reader_counts();
  const auto& damage = counts["errors"][code_];
  ASSERT_TRUE(damage.is_object()) << counts;
  EXPECT_EQ(damage["documents"], 0);
  // What was not read is counted in bytes of the file: all behind the damage, and none of what is before it.
  EXPECT_LE(damage["files"].get<std::size_t>(), stored_bytes_);
  if (GetParam().cut) {
    EXPECT_LE(damage["files"].get<std::size_t>(), stored_bytes_ - damaged_at_);
  }
  // The other files are whole, and what stands before the damage as well.
  const auto kept = texts();
  const auto first = jsonl(10, 2), last = jsonl(10, 3);
  EXPECT_EQ(kept.front(), nlohmann::json::parse(first.substr(0, first.find('\n')))["text"]);
  std::istringstream lines(last);
  std::string line, last_line;
  while (std::getline(lines, line)) last_line = line;
  EXPECT_EQ(kept.back(), nlohmann::json::parse(last_line)["text"]);
  EXPECT_GE(kept.size(), 20u + kDocuments / 3);
  EXPECT_EQ(counts["out"]["documents"], kept.size());
  EXPECT_NE(read("run/log.jsonl").find(fmt::format("in/1.jsonl{}", GetParam().suffix)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Stored, DamagedFile,
                         ::testing::Values(DamageCase{"GzipCut", ".gz", true}, DamageCase{"GzipFlipped", ".gz", false}, DamageCase{"ZstdCut", ".zst", true},
                                           DamageCase{"ZstdFlipped", ".zst", false}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(Damage, AFileThatEndsEarlyCountsWhole) {
  write("in/a.jsonl.gz", readers::gzip(jsonl(2000)).substr(0, 5000));
  const auto refused = read_files("jsonl", "in/*", "on_error = \"skip\"", "");
  EXPECT_EQ(refused.exit_code, 65) << refused;
  EXPECT_NE(refused.err.find("in/a.jsonl.gz', byte 5000: damaged_gzip: the file ends early, after 5000 bytes, inside a gzip member"), std::string::npos) << refused;
  EXPECT_NE(refused.err.find("error: 5000 of 5000 stored bytes of 'in' could not be read (100.00 %), more than run.max_error_fraction = 0.01 allows\n"
                             "  in/a.jsonl.gz: ends early, after 5000 bytes; how much is missing is not known, so all of it counts\n"
                             "  fetch or make this file again, or go on with what can be read by --set run.max_error_fraction=1.0"),
            std::string::npos)
      << refused;
  EXPECT_EQ(reader_counts()["errors"]["damaged_gzip"], nlohmann::json({{"documents", 0}, {"bytes", 0}, {"files", 0}})) << "what is missing is not made up";

  const auto allowed = flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts", "--set", "run.max_error_fraction=1.0"});
  ASSERT_EQ(allowed.exit_code, 0) << allowed;
  EXPECT_NE(allowed.err.find("cached"), std::string::npos) << allowed;
  EXPECT_NE(allowed.out.find("(at the ends of files; see log.jsonl)"), std::string::npos) << allowed;
  EXPECT_GT(texts().size(), 5u);

  Prose prose(7);
  std::string whole;
  while (whole.size() < 600'000) whole += nlohmann::json{{"text", prose.document()}}.dump() + "\n";
  write("in/b.jsonl", whole);
  EXPECT_EQ(read_files("jsonl", "in/*", "on_error = \"skip\"", "").exit_code, 0) << "5,000 bytes are less than one in a hundred";
}

TEST_F(Damage, TheRestOfAFileCountsByItsBytes) {
  std::string stored = readers::zstd(jsonl(4000));
  const std::size_t at = stored.size() * 3 / 4;
  stored[at] = static_cast<char>(stored[at] ^ 0x55);
  write("in/a.jsonl.zst", stored);
  write("in/b.jsonl", jsonl(100, 2));
  ASSERT_EQ(read_files("jsonl", "in/*", "on_error = \"skip\"").exit_code, 0);
  const auto unread = reader_counts()["errors"]["damaged_zstd"]["files"].get<double>();
  EXPECT_NE(read("run/log.jsonl").find(fmt::format("; {:.0f} bytes of the file are left unread", unread)), std::string::npos);
  const double share = unread / static_cast<double>(stored.size() + std::filesystem::file_size(path("in/b.jsonl")));
  ASSERT_GT(share, 0.02);
  const auto with_fraction = [&](double fraction) { return read_files("jsonl", "in/*", "on_error = \"skip\"", fmt::format("max_error_fraction = {}", fraction)); };
  EXPECT_EQ(with_fraction(share + 0.001).exit_code, 0);
  const auto refused = with_fraction(share - 0.001);
  EXPECT_EQ(refused.exit_code, 65) << refused;
  EXPECT_NE(refused.err.find(fmt::format("\n  in/a.jsonl.zst: {:.0f} of {} bytes unread\n", unread, stored.size())), std::string::npos) << refused;
}

TEST_F(Damage, EverySourceHasItsOwnShareOfUnreadBytes) {
  write("large/a.jsonl", jsonl(4000));
  write("small/a.jsonl.gz", readers::gzip(jsonl(4000)).substr(0, 2000));
  write("graph.toml",
        "[run]\nname = \"t\"\n[node.large]\nplugin = \"readers/jsonl\"\npaths = [\"large/*\"]\non_error = \"skip\"\n"
        "[node.small]\nplugin = \"readers/jsonl\"\npaths = [\"small/*\"]\non_error = \"skip\"\n"
        "[node.out]\nplugin = \"writers/jsonl\"\nin = [\"large\", \"small\"]\npath = \"out.jsonl\"\n");
  const auto refused = flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts"});
  EXPECT_EQ(refused.exit_code, 65) << refused;
  EXPECT_NE(refused.err.find("2000 of 2000 stored bytes of 'small' could not be read"), std::string::npos) << refused;
}

TEST_F(Damage, TextThatIsNotUtf8IsRefusedNeverRepaired) {
  write("in/a.jsonl", "{\"text\":\"good\"}\n{\"text\":\"bad \xff\xfe\"}\n{\"text\":\"\\ud800 alone\"}\n{\"text\":\"last\"}\n");
  const auto stopped = read_files("jsonl", "in/*", "");
  EXPECT_EQ(stopped.exit_code, 65) << stopped;
  EXPECT_NE(stopped.err.find("bad_utf8"), std::string::npos) << stopped;
  EXPECT_NE(stopped.err.find("in/a.jsonl"), std::string::npos) << stopped;
  const auto skipped = read_files("jsonl", "in/*", "on_error = \"skip\"");
  ASSERT_EQ(skipped.exit_code, 0) << skipped;
  EXPECT_EQ(texts(), (std::vector<std::string>{"good", "last"}));
  EXPECT_EQ(reader_counts()["errors"]["bad_utf8"]["documents"], 2);
  EXPECT_EQ(reader_counts()["in"]["documents"], 4);

  std::filesystem::remove_all(path("in"));
  write("in/a.txt", "good\n\nbad \xc3\x28 \n\nlast");
  ASSERT_EQ(read_files("text", "in/*", "split = \"blank_lines\"\non_error = \"skip\"").exit_code, 0);
  EXPECT_EQ(texts(), (std::vector<std::string>{"good", "last"}));
  EXPECT_EQ(reader_counts()["errors"]["bad_utf8"]["documents"], 1);
}

TEST_F(Damage, EmptyFilesGiveNoDocument) {
  write("in/a.jsonl", "");
  write("in/b.jsonl", "\n\n\n");
  write("in/c.jsonl", "{\"text\":\"\"}\n");
  ASSERT_EQ(read_files("jsonl", "in/*", "").exit_code, 0);
  EXPECT_EQ(texts(), std::vector<std::string>{""});
  EXPECT_EQ(reader_counts()["in"]["documents"], 1);
  std::filesystem::remove_all(path("in"));
  write("in/a.txt", "");
  const auto nothing = read_files("text", "in/*", "");
  ASSERT_EQ(nothing.exit_code, 0) << nothing;
  EXPECT_EQ(read("run/out.jsonl"), "");
  EXPECT_EQ(reader_counts()["in"]["documents"], 0);
  for (const char* suffix : {".gz", ".zst"}) {  // not even the header of what the name promises
    write(std::string("empty/a.jsonl") + suffix, "");
    EXPECT_EQ(read_files("jsonl", std::string("empty/a.jsonl") + suffix, "").exit_code, 0) << suffix;
  }
}

TEST_F(Damage, NulBytesAreText) {
  write("in/a.txt", std::string("a\0b\n\nc\0", 7));
  ASSERT_EQ(read_files("text", "in/*", "split = \"blank_lines\"").exit_code, 0);
  EXPECT_EQ(texts(), (std::vector<std::string>{std::string("a\0b", 3), std::string("c\0", 2)}));
  std::filesystem::remove_all(path("in"));
  write("in/a.jsonl", std::string("{\"text\":\"a\\u0000b\"}\n\0\0\0\n{\"text\":\"c\"}\n", 37));
  const auto skipped = read_files("jsonl", "in/*", "on_error = \"skip\"");
  ASSERT_EQ(skipped.exit_code, 0) << skipped;
  EXPECT_EQ(texts(), (std::vector<std::string>{std::string("a\0b", 3), "c"}));
  EXPECT_EQ(reader_counts()["errors"]["bad_json"]["documents"], 1);
}

TEST_F(Damage, ALineOfFiftyMegabytesIsADocument) {
  const std::string text(50'000'000, 'x');
  write("in/a.jsonl", "{\"text\":\"before\"}\n{\"text\":\"" + text + "\"}\n{\"text\":\"after\"}\n");
  const auto finished = read_files("jsonl", "in/*", "", "memory_bytes = 1_000_000");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(reader_counts()["out"]["bytes"], 50'000'000 + 6 + 5);
  EXPECT_TRUE(texts() == (std::vector<std::string>{"before", text, "after"}));
  const auto refused = read_files("jsonl", "in/*", "max_record_bytes = 1_000_000\non_error = \"skip\"");
  ASSERT_EQ(refused.exit_code, 0) << refused;
  EXPECT_EQ(texts(), (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(reader_counts()["errors"]["record_too_large"]["documents"], 1);
}

TEST_F(Damage, DuplicateIdsAreTwoDocuments) {
  write("in/a.jsonl", "{\"text\":\"one\",\"id\":\"x\"}\n{\"text\":\"two\",\"id\":\"x\"}\n{\"text\":\"one\",\"id\":\"x\"}\n");
  write("graph.toml",
        "[run]\nname = \"t\"\n[node.in]\nplugin = \"readers/jsonl\"\npaths = [\"in/*\"]\nid_field = \"id\"\n[node.unique]\nplugin = \"dedupers/exact\"\nin = \"in\"\n"
        "[node.parts]\nplugin = \"filters/split\"\nin = \"unique\"\nheldout_fraction = 0.5\n"
        "[node.out]\nplugin = \"writers/jsonl\"\nin = [\"parts.train\", \"parts.heldout\"]\npath = \"out.jsonl\"\n");
  const auto finished = flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(texts(), (std::vector<std::string>{"one", "two"}));
  const auto funnel = json("run/funnel.json");
  expect_exact_sums(funnel);
  EXPECT_EQ(funnel["nodes"]["parts"]["out"]["documents"], 2);
  EXPECT_EQ(funnel["nodes"]["unique"]["out"]["documents"], 2);
}

TEST_F(Damage, TooManyErrorsEndTheRun) {
  // test/source_errors refuses every tenth document: more than one in a hundred, fewer than one in five.
  const auto run_with = [&](const std::string& run_key, const std::string& output) {
    write("graph.toml", "[run]\nname = \"t\"\n" + run_key +
                            "[node.in]\nplugin = \"test/source_errors\"\nevery = 10\ncut = true\non_error = \"skip\"\n[node.out]\nplugin = \"test/collect\"\nin = \"in\"\n");
    return flowrun({"run", "graph.toml", "--output", output, "--artifacts", "artifacts"});
  };
  const auto stopped = run_with("", "too-many");
  EXPECT_EQ(stopped.exit_code, 65) << stopped;
  EXPECT_NE(stopped.err.find("40 of 400 documents were refused (10.00 %), more than run.max_error_fraction = 0.01 allows"), std::string::npos) << stopped;
  const auto allowed = run_with("max_error_fraction = 0.2\n", "run");
  ASSERT_EQ(allowed.exit_code, 0) << allowed;
  const auto counts = reader_counts();
  EXPECT_EQ(counts["in"]["documents"], 400);
  EXPECT_EQ(counts["errors"]["test_refused"]["documents"], 40);
  EXPECT_EQ(counts["errors"]["test_cut"], nlohmann::json({{"documents", 0}, {"bytes", 0}, {"files", 4000}}));
}

TEST_F(Damage, TooManyErrorsEndTheRunWhoseStagesAreCachedAsWell) {
  const auto run_with = [&](const std::string& fraction, const std::string& output) {
    write("graph.toml", "[run]\nname = \"t\"\nmax_error_fraction = " + fraction +
                            "\n[node.in]\nplugin = \"test/source_errors\"\nevery = 10\non_error = \"skip\"\n[node.out]\nplugin = \"test/collect\"\nin = \"in\"\n");
    return flowrun({"run", "graph.toml", "--output", output, "--artifacts", "artifacts"});
  };
  ASSERT_EQ(run_with("0.2", "allowed").exit_code, 0);
  const auto refused = run_with("0.05", "refused");
  EXPECT_EQ(refused.exit_code, 65) << refused;
  EXPECT_NE(refused.err.find("cached"), std::string::npos) << refused;
  EXPECT_NE(refused.err.find("more than run.max_error_fraction = 0.05 allows"), std::string::npos) << refused;
}

TEST_F(Damage, ALimitMeetsNoErrorBehindItsLastDocument) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += i % 2 == 1 && i > 3 ? "not json\n" : "{\"text\":\"document\"}\n";
  write("in/a.jsonl", lines);
  for (const char* batch : {"1", "7", "4096"}) {
    write("graph.toml", std::string("[run]\nname = \"t\"\nmax_error_fraction = 1.0\nbatch_documents = ") + batch +
                            "\n[node.in]\nplugin = \"readers/jsonl\"\npaths = [\"in/*\"]\non_error = \"skip\"\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"in\"\npath = \"out.jsonl\"\n");
    ASSERT_EQ(flowrun({"run", "graph.toml", "--output", "run", "--no-cache", "--fresh", "--limit", "6"}).exit_code, 0);
    EXPECT_EQ(reader_counts()["in"]["documents"], 7) << batch;  // six, and the record that is refused between the fifth and the sixth
    EXPECT_EQ(reader_counts()["errors"]["bad_json"]["documents"], 1) << batch;
    EXPECT_EQ(texts().size(), 6u) << batch;
  }
}

TEST_F(Damage, RowsThatAMapRefusesAreFoundAndCounted) {
  const auto run_with = [&](const std::string& plugin, const std::string& keys, const std::string& output) {
    write("graph.toml", "[run]\nname = \"t\"\nmax_error_fraction = 0.5\n[node.a]\nplugin = \"test/source_numbers\"\n[node.bad]\nplugin = \"test/" + plugin + "\"\nin = \"a\"\n" + keys +
                            "[node.out]\nplugin = \"test/collect\"\nin = \"bad\"\n");
    return flowrun({"run", "graph.toml", "--output", output, "--artifacts", "artifacts"});
  };
  const auto stopped = run_with("map_row_errors", "", "stopped");
  EXPECT_EQ(stopped.exit_code, 65) << stopped;
  // Batches are handled at once, so which of the bad documents is met first is open.
  EXPECT_NE(stopped.err.find("document 'n-"), std::string::npos) << stopped;
  EXPECT_NE(stopped.err.find("0' (test_bad)\n  in node 'bad' (test/map_row_errors 1.0.0)"), std::string::npos) << stopped;
  ASSERT_EQ(run_with("map_row_errors", "on_error = \"skip\"\n", "rows").exit_code, 0);
  const auto rows = json("rows/funnel.json");
  expect_exact_sums(rows);
  EXPECT_EQ(rows["nodes"]["bad"]["errors"]["test_bad"]["documents"], 40);
  EXPECT_EQ(json_lines("rows/collected.jsonl").size(), 360u);
  // A whole batch fails; run again row by row, one document is to blame.
  ASSERT_EQ(run_with("map_throw", "on_error = \"skip\"\nat = 123\n", "thrown").exit_code, 0);
  const auto thrown = json("thrown/funnel.json");
  expect_exact_sums(thrown);
  EXPECT_EQ(thrown["nodes"]["bad"]["errors"]["kInternal"]["documents"], 1) << thrown["nodes"]["bad"];
  EXPECT_EQ(json_lines("thrown/collected.jsonl").size(), 399u);
  // Documents that vanish without a word are a fault of the plugin, and are not let pass.
  const auto lost = run_with("map_loses_rows", "on_error = \"skip\"\n", "lost");
  EXPECT_EQ(lost.exit_code, 70) << lost;
  EXPECT_NE(lost.err.find("must account for every row"), std::string::npos) << lost;
}

}  // namespace
}  // namespace flowrun::testing
