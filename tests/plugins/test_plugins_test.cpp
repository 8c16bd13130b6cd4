// The test plugins themselves, each run alone through its loaded table: what other tests rely on. The state extension is tried here in full.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/registry.hpp"

namespace flowrun {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Batch;
using testing::Document;
using testing::OpenOptions;
using testing::documents_batch;
using testing::Parameters;
using testing::Runner;
using testing::TemporaryFolder;

const flowrun_plugin& load_id(const std::string& id) {
  static plugin::Registry registry({{std::string(FLOWRUN_BUILD_DIR) + "/tests/plugins", true}});
  const plugin::PluginFile* file = registry.find(id);
  if (file == nullptr) throw Error(Code::kNotFound, id + " is not built");
  return *registry.load(*file, "");
}

const flowrun_plugin& load(const std::string& name) { return load_id("test/" + name); }

std::vector<Document> documents(std::initializer_list<int> numbers) {
  std::vector<Document> rows;
  for (const int n : numbers) rows.push_back({"n-" + std::to_string(n), "text " + std::to_string(n), n % 3 ? "web" : "books", "test"});
  return rows;
}

std::vector<std::string> ids(const std::vector<Batch>& batches) {
  std::vector<std::string> ids;
  for (const Batch& batch : batches)
    for (const Document& row : testing::document_rows(batch)) ids.push_back(row.id);
  return ids;
}

OpenOptions with_staging(const TemporaryFolder& folder) {
  OpenOptions options;
  options.staging = folder.path();
  return options;
}

/// Returns the Error that `body` throws; fails the test if it throws none.
template <class Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {Code::kInternal, ""};
}

TEST(SourceNumbers, GivesTheSameDocumentsInAnyBatches) {
  const auto read = [](std::int64_t batch_documents) {
    Runner node(load("source_numbers"), {{"units", 3}, {"documents", 7}, {"text_bytes", 50}, {"copies_every", 5}});
    OpenOptions options;
    options.batch_documents = batch_documents;
    node.open({}, options);
    auto rows = node.read_documents();
    EXPECT_THAT(node.close(), IsEmpty());
    return rows;
  };
  const auto rows = read(1);
  ASSERT_EQ(rows.size(), 21u);
  EXPECT_EQ(rows[8].id, "n-8");
  EXPECT_EQ(rows[8].text.size(), 50u);
  EXPECT_THAT(rows[8].text, ::testing::StartsWith("number 8 of n.\n"));
  EXPECT_EQ(rows[10].text, rows[0].text);
  EXPECT_NE(rows[9].text, rows[8].text);
  EXPECT_EQ(rows, read(4));
  EXPECT_EQ(rows, read(4096));
}

TEST(SourceErrors, RefusesRecordsAndTheRestOfAFile) {
  Runner node(load("source_errors"), {{"units", 2}, {"documents", 10}, {"every", 5}, {"cut", true}});
  node.open({});
  EXPECT_EQ(node.read_documents().size(), 16u);
  ASSERT_EQ(node.record_errors().size(), 6u);
  EXPECT_EQ(node.record_errors()[0].code, "test_refused");
  EXPECT_EQ(node.record_errors()[0].documents, 1);
  EXPECT_EQ(node.record_errors()[2].code, "test_cut");
  EXPECT_EQ(node.record_errors()[2].file_bytes, 1000);
  EXPECT_EQ(node.record_errors()[5].file, "unit-1");
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(SourceErrors, StopsWhenTheHostSaysSo) {
  Runner node(load("source_errors"), {{"every", 5}});
  node.open({});
  node.stop_on_record_error();
  EXPECT_EQ(error_of([&] { node.read_documents(); }).code(), Code::kCancelled);
}

TEST(MapDouble, WritesTextsTwiceAndKeepsTheRest) {
  Runner node(load("map_double"));
  node.open({fields::documents()});
  // A slice, as a host may lend it: offsets must be minded.
  const auto out = node.process(testing::slice(documents_batch(documents({1, 2, 3, 4})), 1, 2));
  const auto rows = testing::document_rows(out[0]);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (Document{"n-2", "text 2text 2", "web", "test"}));
  EXPECT_EQ(rows[1].domain, "books");
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(ShoutInC, KeepsColumnsThatItDoesNotKnow) {
  for (const bool first_line_only : {false, true}) {
    Runner node(load_id("examples/shout"), {{"first_line_only", first_line_only}});
    Field schema = fields::documents();
    schema.children.push_back(fields::int64("words"));
    node.open({schema});
    EXPECT_EQ(node.output_schema(), schema);
    Batch batch = documents_batch({{"a", "x", "d", "s"}, {"b", "one \xc3\xa9\ntwo", "d", "s"}, {"c", "", "d", "s"}, {"d", "Y", "d", "s"}});
    batch = testing::with_column(std::move(batch), fields::int64("words"), make_column(std::vector<std::int64_t>{1, 3, 0, 1}));
    const auto out = node.process(testing::slice(std::move(batch), 1, 2));
    const auto rows = testing::document_rows(out[0]);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0], (Document{"b", first_line_only ? "ONE \xc3\xa9\ntwo" : "ONE \xc3\xa9\nTWO", "d", "s"}));
    EXPECT_EQ(rows[1].text, "");
    EXPECT_EQ(BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("words", "l")[0], 3);
    EXPECT_THAT(node.close(), IsEmpty()) << "the batch is still held: it may outlive its node";
  }
}

TEST(ShoutInC, WantsAText) {
  Runner node(load_id("examples/shout"));
  EXPECT_EQ(error_of([&] { node.open({fields::tokens()}); }).message(), "the input has no utf8 column 'text'");
}

TEST(MapRowErrors, RefusesRowsByNumber) {
  Runner node(load("map_row_errors"), {{"every", 2}});
  node.open({fields::documents()});
  EXPECT_THAT(ids(node.process(documents_batch(documents({1, 2, 3, 4})))), ElementsAre("n-1", "n-3"));
  ASSERT_EQ(node.row_errors().size(), 2u);
  EXPECT_EQ(node.row_errors()[0].id, "n-2");
  EXPECT_EQ(node.row_errors()[0].code, "test_bad");
  EXPECT_EQ(node.row_errors()[0].status, Code::kCorruptData);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(MapLosesRows, IsCaught) {
  Runner node(load("map_loses_rows"));
  node.open({fields::documents()});
  node.process(documents_batch(documents({1, 2})));
  EXPECT_THAT(node.close(), ElementsAre(HasSubstr("document 'n-2' is neither in an output nor dropped nor refused")));
}

TEST(DropShare, DropsTheShareAndSaysSo) {
  Runner node(load("drop_share"), {{"share", 0.25}});
  OpenOptions options;
  options.seed = 9;
  node.open({fields::documents()}, options);
  std::vector<Document> rows;
  for (int n = 0; n < 4000; ++n) rows.push_back({"n-" + std::to_string(n), "t", "d", "s"});
  const auto kept = ids(node.process(documents_batch(rows)));
  EXPECT_EQ(kept.size() + node.drops().size(), 4000u);
  EXPECT_NEAR(static_cast<double>(node.drops().size()), 1000, 110) << "four standard deviations, seed 9";
  EXPECT_EQ(node.drops()[0].reason, "test_share");
  EXPECT_EQ(node.drops()[0].threshold, 0.25);
  EXPECT_LT(node.drops()[0].value, 0.25);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(TwoOutputs, SplitsEvenAndOdd) {
  Runner node(load("two_outputs"));
  node.open({fields::documents()});
  auto out = node.process(documents_batch(documents({1, 2, 4, 7})));
  ASSERT_EQ(out.size(), 2u);
  const auto row_ids = [](const Batch& batch) {
    std::vector<std::string> found;
    for (const Document& row : testing::document_rows(batch)) found.push_back(row.id);
    return found;
  };
  EXPECT_THAT(row_ids(out[0]), ElementsAre("n-2", "n-4"));
  EXPECT_THAT(row_ids(out[1]), ElementsAre("n-1", "n-7"));
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(ByteTokens, GivesEachByteAsAToken) {
  Runner node(load("byte_tokens"));
  node.open({fields::documents()});
  EXPECT_EQ(node.output_schema(), fields::tokens());
  const auto out = node.process(documents_batch({{"a", "hi\xff", "web", "s"}}));
  const auto rows = testing::token_rows(out[0]);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], (testing::TokenRow{"a", "web", 3, {104, 105, 255}}));
}

TEST(SerialJoin, WantsTheFirstInputFirst) {
  Runner node(load("serial_join"));
  node.open({fields::documents(), fields::documents()});
  EXPECT_THAT(ids(node.process(documents_batch(documents({1})), 0)), ElementsAre("n-1"));
  EXPECT_THAT(ids(node.process(documents_batch(documents({2})), 1)), ElementsAre("n-2"));
  EXPECT_THAT(error_of([&] { node.process(documents_batch(documents({3})), 0); }).message(), HasSubstr("came after one of 'second'"));
}

TEST(SerialDelay, OwnsABatchBeyondTheCall) {
  Runner node(load("serial_delay"));
  node.open({fields::documents()});
  EXPECT_THAT(ids(node.process(documents_batch(documents({1})))), IsEmpty());
  EXPECT_THAT(ids(node.process(documents_batch(documents({2})))), ElementsAre("n-1"));
  EXPECT_THAT(ids(node.finish()), ElementsAre("n-2"));
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(BlockingReverse, GivesAllInReverse) {
  Runner node(load("blocking_reverse"));
  node.open({fields::documents()});
  node.consume(documents_batch(documents({1, 2})));
  node.consume(documents_batch(documents({3})));
  node.finish();
  EXPECT_THAT(ids(node.produce_all()), ElementsAre("n-3", "n-2", "n-1"));
  EXPECT_THAT(node.close(), IsEmpty());
  Runner empty(load("blocking_reverse"));
  empty.open({fields::documents()});
  empty.finish();
  EXPECT_THAT(ids(empty.produce_all()), IsEmpty());
}

TEST(BlockingCount, ItsArtifactIsReadByAMap) {
  const TemporaryFolder folder;
  {
    Runner node(load("blocking_count"));
    node.open({fields::documents()}, with_staging(folder));
    node.consume(documents_batch(documents({1, 2, 3})));
    node.finish();
    EXPECT_THAT(node.close(), IsEmpty());
  }
  EXPECT_EQ(testing::read_file(folder.path("counts.txt")), "1 books\n2 web\n");
  Runner node(load("map_use_counts"));
  OpenOptions options;
  options.artifacts["counts"] = folder.path();
  node.open({fields::documents()}, options);
  const auto out = node.process(documents_batch(documents({3, 4})));
  const std::int64_t* counts = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("domain_documents", "l");
  EXPECT_EQ(counts[0], 1);
  EXPECT_EQ(counts[1], 2);
}

TEST(Indexed, ReversesADatasetAndMakesTensors) {
  const testing::MemoryDataset dataset({{"a", "d", 2, {1, 2}}, {"b", "d", 1, {3}}, {"c", "d", 3, {4, 5, 6}}});
  const TemporaryFolder folder;
  Runner reverse(load("indexed_reverse"));
  reverse.open({fields::tokens()});
  reverse.prepare({&dataset}, folder.path());
  reverse.attach({&dataset}, folder.path());
  EXPECT_EQ(reverse.count(), 3);
  EXPECT_EQ(testing::token_rows(reverse.read_rows(0, 2)), (std::vector<testing::TokenRow>{{"c", "d", 3, {4, 5, 6}}, {"b", "d", 1, {3}}}));
  const Batch index = reverse.index_rows(2, 1);
  EXPECT_EQ(BatchView(index.array.get(), index.schema).values<std::uint32_t>("length", "I")[0], 2u);

  Runner rows(load("indexed_rows"), {{"sequence_length", 2}});
  rows.open({fields::tokens()});
  rows.prepare({&dataset}, folder.path());
  rows.attach({&dataset}, folder.path());
  const auto batch = rows.read_batch(1, 2);
  EXPECT_THAT(batch.ids, ElementsAre("b", "c"));
  EXPECT_THAT(batch.tensors.at("input_ids").values, ElementsAre(3, 0, 4, 5));
}

TEST(Collect, WritesEveryColumnItCan) {
  const TemporaryFolder folder;
  Runner node(load("collect"));
  node.open({fields::documents()}, with_staging(folder));
  node.process(documents_batch({{"a", "line\n\"two\"", "web", "s"}}));
  node.finish();
  EXPECT_EQ(testing::read_file(folder.path("collected.jsonl")), R"({"id":"a","text":"line\n\"two\"","domain":"web","source":"s"})" "\n");
}

TEST(SlowWriter, GivesUpWhenTheRunStops) {
  const TemporaryFolder folder;
  Runner node(load("slow_writer"));
  node.open({fields::documents()}, with_staging(folder));
  node.request_stop();
  EXPECT_EQ(error_of([&] { node.process(documents_batch(documents({1}))); }).code(), Code::kCancelled);
  Runner quick(load("slow_writer"), {{"seconds_per_batch", 0.0}});
  quick.open({fields::documents()}, with_staging(folder));
  quick.process(documents_batch(documents({1, 2})));
  quick.finish();
  EXPECT_EQ(testing::read_file(folder.path("count.txt")), "2\n");
}

// ---- throwing nodes: what leaves the library is a code and a text, whatever was thrown

struct Throw {
  const char* what;
  const char* code;
  Code expected;
  const char* message;
};
constexpr Throw kThrows[] = {{"runtime_error", "kInternal", Code::kInternal, "thrown by the test in '"},
                             {"int", "kInternal", Code::kInternal, "an exception of unknown type"},
                             {"bad_alloc", "kInternal", Code::kOutOfMemory, "out of memory"},
                             {"error", "kCorruptData", Code::kCorruptData, "thrown by the test in '"},
                             {"error", "kIo", Code::kIo, "thrown by the test in '"}};

/// Runs `body` for every kind of exception and checks what it throws on our side.
template <class Body>
void expect_thrown(Body&& body) {
  for (const Throw& kind : kThrows) {
    const Error error = error_of([&] { body(kind); });
    EXPECT_EQ(error.code(), kind.expected) << kind.what;
    EXPECT_THAT(error.message(), ::testing::StartsWith(kind.message)) << kind.what;
  }
}

TEST(Throwing, AMapAtADocument) {
  expect_thrown([](const Throw& kind) {
    Runner node(load("map_throw"), {{"at", 3}, {"what", kind.what}, {"code", kind.code}});
    node.open({fields::documents()});
    EXPECT_THAT(ids(node.process(documents_batch(documents({1, 2})))), ElementsAre("n-1", "n-2"));
    node.process(documents_batch(documents({2, 3})));
  });
}

TEST(Throwing, ASerialNodeAtACallAndInFinish) {
  expect_thrown([](const Throw& kind) {
    Runner node(load("serial_throw"), {{"at", 1}, {"what", kind.what}, {"code", kind.code}});
    node.open({fields::documents()});
    node.process(documents_batch(documents({1})));
    node.process(documents_batch(documents({2})));
  });
  Runner node(load("serial_throw"), {{"call", "finish"}});
  node.open({fields::documents()});
  node.process(documents_batch(documents({1})));
  EXPECT_EQ(error_of([&] { node.finish(); }).message(), "thrown by the test in 'finish'");
}

TEST(Throwing, ASourceAtADocumentAndAUnit) {
  expect_thrown([](const Throw& kind) {
    Runner node(load("source_throw"), {{"documents", 5}, {"at", 7}, {"what", kind.what}, {"code", kind.code}});
    node.open({});
    EXPECT_EQ(node.read_unit(0).size(), 5u);
    node.read_unit(1);
  });
  Runner node(load("source_throw"), {{"call", "open_unit"}, {"at", 2}});
  node.open({});
  node.read_unit(1);
  EXPECT_EQ(error_of([&] { node.read_unit(2); }).message(), "thrown by the test in 'open_unit'");
}

TEST(Throwing, ABlockingNodeInEachCall) {
  expect_thrown([](const Throw& kind) {
    Runner node(load("blocking_throw"), {{"what", kind.what}, {"code", kind.code}});
    node.open({fields::documents()});
    node.consume(documents_batch(documents({1})));
  });
  for (const char* call : {"finish", "produce"}) {
    Runner node(load("blocking_throw"), {{"call", call}});
    node.open({fields::documents()});
    node.consume(documents_batch(documents({1})));
    EXPECT_EQ(error_of([&] {
                node.finish();
                node.produce_all();
              }).message(),
              "thrown by the test in '" + std::string(call) + "'");
  }
}

TEST(Throwing, AnIndexedNodeInEachCall) {
  const testing::MemoryDataset dataset({{"a", "d", 2, {1, 2}}, {"b", "d", 1, {3}}});
  const TemporaryFolder folder;
  for (const char* call : {"prepare", "attach", "read", "index"}) {
    Runner node(load("indexed_throw"), {{"call", call}, {"at", 1}});
    node.open({fields::tokens()});
    const Error error = error_of([&] {
      node.prepare({&dataset}, folder.path());
      node.attach({&dataset}, folder.path());
      EXPECT_EQ(node.read_rows(0, 1).size(), 1);
      EXPECT_EQ(node.index_rows(0, 1).size(), 1);
      node.read_rows(0, 2);
      node.index_rows(0, 2);
    });
    EXPECT_EQ(error.message(), "thrown by the test in '" + std::string(call) + "'");
  }
}

TEST(Throwing, InCreateAndOpen) {
  for (const char* name : {"map_throw", "serial_throw", "blocking_throw", "indexed_throw", "source_throw"}) {
    EXPECT_EQ(error_of([&] { Runner(load(name), {{"call", "create"}}); }).message(), "thrown by the test in 'create'") << name;
    Runner node(load(name), {{"call", "open"}});
    EXPECT_EQ(error_of([&] { node.open({fields::documents()}); }).message(), "thrown by the test in 'open'") << name;
  }
}

// ---- flowrun.state/1: a node that is restored goes on exactly as the one that was snapshot

std::vector<std::pair<std::string, std::int64_t>> counts(const std::vector<Batch>& out) {
  std::vector<std::pair<std::string, std::int64_t>> rows;
  const std::int64_t* values = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("count", "l");
  for (const Document& row : testing::document_rows(out[0])) rows.emplace_back(row.id, values[rows.size()]);
  return rows;
}

TEST(State, ACounterGoesOnWhereItsSnapshotStood) {
  const TemporaryFolder folder;
  Runner undisturbed(load("serial_counter"));
  undisturbed.open({fields::documents()});
  ASSERT_TRUE(undisturbed.has_state());
  const std::int64_t empty_bytes = undisturbed.memory_bytes();
  EXPECT_EQ(counts(undisturbed.process(documents_batch(documents({1, 2, 3})))),
            (std::vector<std::pair<std::string, std::int64_t>>{{"n-1", 1}, {"n-2", 2}, {"n-3", 1}}));
  EXPECT_GT(undisturbed.memory_bytes(), empty_bytes);
  undisturbed.snapshot(folder.path());
  const auto after = counts(undisturbed.process(documents_batch(documents({4, 5, 6}))));
  EXPECT_EQ(after, (std::vector<std::pair<std::string, std::int64_t>>{{"n-4", 3}, {"n-5", 4}, {"n-6", 2}}));

  Runner restored(load("serial_counter"));
  restored.open({fields::documents()});
  restored.restore(folder.path());
  EXPECT_EQ(counts(restored.process(documents_batch(documents({4, 5, 6})))), after);
  EXPECT_EQ(restored.memory_bytes(), undisturbed.memory_bytes());
  EXPECT_THAT(restored.close(), IsEmpty());
}

TEST(State, ADeduperRemembersWhatItsSnapshotKnew) {
  const TemporaryFolder folder;
  const auto first = documents({1, 2, 3});
  const auto second = documents({3, 4, 1, 4});
  std::vector<std::string> expected;
  {
    Runner undisturbed(load("serial_dedupe"));
    undisturbed.open({fields::documents()});
    undisturbed.process(documents_batch(first));
    undisturbed.snapshot(folder.path());
    expected = ids(undisturbed.process(documents_batch(second)));
    EXPECT_THAT(expected, ElementsAre("n-4"));
    EXPECT_EQ(undisturbed.drops().size(), 3u);
    EXPECT_THAT(undisturbed.close(), IsEmpty());
  }
  Runner restored(load("serial_dedupe"));
  restored.open({fields::documents()});
  restored.restore(folder.path());
  EXPECT_EQ(ids(restored.process(documents_batch(second))), expected);
  EXPECT_EQ(restored.drops()[0].reason, "test_duplicate");

  Runner fresh(load("serial_dedupe"));
  fresh.open({fields::documents()});
  EXPECT_THAT(ids(fresh.process(documents_batch(second))), ElementsAre("n-3", "n-4", "n-1")) << "without the state the answer is another";
}

TEST(State, ASnapshotReplacesWhatTheNodeHadAndDamageIsSeen) {
  const TemporaryFolder folder;
  Runner node(load("serial_dedupe"));
  node.open({fields::documents()});
  node.snapshot(folder.path());  // of nothing
  node.process(documents_batch(documents({1})));
  node.restore(folder.path());
  EXPECT_THAT(ids(node.process(documents_batch(documents({1})))), ElementsAre("n-1"));
  folder.write("texts", "100\nshort");
  EXPECT_EQ(error_of([&] { node.restore(folder.path()); }).code(), Code::kCorruptData);
  EXPECT_EQ(error_of([&] { node.restore(folder.path("none")); }).code(), Code::kNotFound);
}

TEST(State, NodesWithoutStateSayNo) {
  Runner node(load("serial_join"));
  EXPECT_FALSE(node.has_state());
}

}  // namespace
}  // namespace flowrun
