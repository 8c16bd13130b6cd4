#include "minhash_lsh.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "golden_file.hpp"
#include "id_list.hpp"

namespace flowrun::dedupers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Firsts = std::map<std::string, std::string>;  // by the id of a document that goes: the one that stays

/// Texts of invented words, about every third a changed copy of an earlier one.
std::vector<Document> make_documents(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto letter = [&] { return static_cast<char>('a' + random() % 26); };
  const auto word = [&] { return std::string{'w', letter(), letter(), letter()}; };
  std::vector<std::vector<std::string>> texts;
  std::vector<Document> documents;
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> words;
    if (i > 0 && random() % 3 == 0) {
      words = texts[random() % texts.size()];
      const std::uint64_t rate = random() % 12;  // in hundredths
      for (auto& one : words)
        if (random() % 100 < rate) one = word();
    } else {
      for (std::uint64_t n = 4 + random() % 60; n > 0; --n) words.push_back(word());
    }
    std::string text;
    for (const auto& one : words) text += one + " ";
    texts.push_back(std::move(words));
    documents.push_back({"d" + std::to_string(i), text, "", ""});
  }
  return documents;
}

/// All pairs of documents, bucket by bucket: no sorting, no hashing of buckets.
Firsts by_brute_force(const std::vector<Document>& documents, const SketchOptions& options) {
  const auto sketcher = Sketcher::make(options);
  Sketcher::Scratch scratch;
  std::vector<std::vector<std::uint64_t>> signatures(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) sketcher->signature(documents[i].text, scratch, signatures[i]);
  const auto share_a_bucket = [&](const auto& a, const auto& b) {
    for (std::size_t at = 0; at < std::min(a.size(), b.size()); at += options.hashes_per_bucket)
      if (std::equal(a.data() + at, a.data() + at + options.hashes_per_bucket, b.data() + at)) return true;
    return false;
  };
  std::vector<std::size_t> first(documents.size());
  std::iota(first.begin(), first.end(), std::size_t{0});
  for (std::size_t i = 0; i < documents.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (first[i] != first[j] && share_a_bucket(signatures[i], signatures[j])) {
        const std::size_t from = std::max(first[i], first[j]), to = std::min(first[i], first[j]);
        std::replace(first.begin(), first.end(), from, to);
      }
  Firsts firsts;
  for (std::size_t i = 0; i < documents.size(); ++i)
    if (first[i] != i) firsts[documents[i].id] = documents[first[i]].id;
  return firsts;
}

/// Runs the node, in batches of some documents.
Firsts by_node(const std::vector<Document>& documents, const std::vector<std::pair<std::string, flowrun::testing::Value>>& parameters,
               std::int64_t memory_bytes = 64 << 20, std::size_t batch = 37) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, parameters);
  OpenOptions options;
  options.staging = folder.path();
  options.memory_bytes = memory_bytes;
  node.open({fields::documents()}, options);
  for (std::size_t at = 0; at < documents.size(); at += batch)
    node.consume_sketched(documents_batch({documents.data() + at, documents.data() + std::min(at + batch, documents.size())}));
  node.finish();
  Firsts firsts;
  for (const auto& drop : node.take_selection()) {
    EXPECT_EQ(drop.reason, "near_duplicate");
    firsts[documents.at(static_cast<std::size_t>(drop.row)).id] = drop.kept;
  }
  EXPECT_THAT(node.close(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "nothing is left in the folder";
  return firsts;
}

TEST(MinhashLshNode, HasDatatrovesClustersOfTheGoldenFile) {
  std::vector<Document> documents;
  Firsts expected;
  for (const auto& golden : testing::read_golden_file()) {
    documents.push_back({golden.id, golden.text, "", ""});
    if (golden.first != golden.id) expected[golden.id] = golden.first;
  }
  ASSERT_GT(expected.size(), 5u);
  EXPECT_EQ(by_node(documents, {}), expected);
}

TEST(MinhashLshNode, FindsWhatAllPairsGive) {
  const auto documents = make_documents(400, 3);
  for (const bool fast : {false, true}) {
    const char* const mode = fast ? "fast" : "equal";
    const auto usual = by_brute_force(documents, {.fast = fast});
    EXPECT_GT(usual.size(), 50u);
    EXPECT_EQ(by_node(documents, {{"mode", mode}}), usual) << mode;
    // Buckets of few hashes chain what hardly resembles each other into long clusters.
    const auto loose = by_brute_force(documents, {.fast = fast, .n_grams = 2, .buckets = 20, .hashes_per_bucket = 2, .seed = 8});
    EXPECT_GT(loose.size(), usual.size());
    EXPECT_EQ(by_node(documents, {{"mode", mode}, {"n_grams", 2}, {"buckets", 20}, {"hashes_per_bucket", 2}, {"hash_seed", 8}}), loose) << mode;
  }
  EXPECT_EQ(by_node(documents, {{"hash_bits", 32}}), by_brute_force(documents, {.hash_bits = 32}));
}

TEST(MinhashLshNode, FindsTheSameOnDiskAsInMemory) {
  const auto documents = make_documents(3000, 5);
  for (const char* mode : {"equal", "fast"}) {
    const auto in_memory = by_node(documents, {{"mode", mode}});
    EXPECT_GT(in_memory.size(), 300u);
    EXPECT_EQ(by_node(documents, {{"mode", mode}}, 1), in_memory) << mode << ": ten runs on disk";
  }
}

TEST(MinhashLsh, SpillsAboveItsMemory) {
  const TemporaryFolder folder;
  MinhashLsh index(256 << 10, folder.path());
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const BucketKey keys[] = {{random(), random() << 40}, {random(), random() << 40}};
    index.add(keys);
    ASSERT_LE(index.memory_bytes(), std::size_t{128} << 10);
  }
  EXPECT_EQ(index.runs(), 2u);
}

TEST(MinhashLshNode, DoesNotDependOnBatches) {
  const auto documents = make_documents(300, 7);
  const auto expected = by_node(documents, {});
  for (const std::size_t batch : {1u, 299u, 300u}) EXPECT_EQ(by_node(documents, {}, 64 << 20, batch), expected) << batch;
}

TEST(MinhashLshNode, KeepsTheFirstAndTextsOfFewWords) {
  const std::string text = "one two three four five six seven eight nine ten";
  const std::vector<Document> documents{{"a", "four words are few", "", ""}, {"b", text, "", ""}, {"c", "four words are few", "", ""},
                                        {"d", "One, TWO three four five six seven eight nine: ten!", "", ""}, {"e", "", "", ""}};
  EXPECT_EQ(by_node(documents, {}), (Firsts{{"d", "b"}}));
  EXPECT_THAT(by_node({}, {}), IsEmpty());
}

TEST(MinhashLshNode, GoesOnFromASnapshotAsIfNothingHadHappened) {
  const auto documents = make_documents(500, 9);
  const std::vector<Document> before(documents.begin(), documents.begin() + 300), after(documents.begin() + 300, documents.end());
  const TemporaryFolder folder, state;
  OpenOptions options;
  options.staging = folder.path();
  options.memory_bytes = 1;
  Runner first(flowrun_plugin_v1), second(flowrun_plugin_v1);
  first.open({fields::documents()}, options);
  second.open({fields::documents()}, options);
  first.consume_sketched(documents_batch(before));
  first.snapshot(state.path());
  second.restore(state.path());
  for (Runner* node : {&first, &second}) {  // a node goes on after its snapshot, too
    node->consume_sketched(documents_batch(after));
    node->finish();
  }
  Firsts firsts;
  const auto drops = second.take_selection();
  for (const auto& drop : drops) firsts[documents[static_cast<std::size_t>(drop.row)].id] = drop.kept;
  EXPECT_EQ(firsts, by_node(documents, {}));
  const auto others = first.take_selection();
  ASSERT_EQ(others.size(), drops.size());
  for (std::size_t i = 0; i < drops.size(); ++i) EXPECT_EQ(others[i].row, drops[i].row);
}

TEST(MinhashLsh, RefusesADamagedSnapshot) {
  const TemporaryFolder folder;
  const auto damage = [&](auto& saved, auto load, const char* what) {
    saved.save(folder.path("state"));
    const std::string good = read_file(folder.path("state"));
    const auto error = [&](const std::string& bytes) {
      folder.write("damaged", bytes);
      return error_of([&] { load(folder.path("damaged")); });
    };
    std::string flipped = good;
    flipped[good.size() - 3] = static_cast<char>(flipped[good.size() - 3] ^ 1);
    EXPECT_THAT(error(flipped).second, HasSubstr("does not have the checksum"));
    EXPECT_THAT(error(good + "x").second, HasSubstr("does not have the checksum"));
    EXPECT_THAT(error(good.substr(0, good.size() - 1)).second, HasSubstr("ends before its "));
    EXPECT_THAT(error("x" + good).second, HasSubstr(what));
    EXPECT_EQ(error("").first, Code::kCorruptData);
    EXPECT_EQ(error_of([&] { load(folder.path("none")); }).first, Code::kNotFound);
  };
  MinhashLsh index(1, folder.path());
  const BucketKey keys[] = {{1, std::uint64_t{2} << 40}};
  index.add(keys);
  damage(index, [&](const std::string& path) { MinhashLsh(1, folder.path()).load(path); }, "holds no signatures");
  IdList ids(folder.path());
  ids.add("a document");
  damage(ids, [&](const std::string& path) { IdList(folder.path()).load(path); }, "holds no ids");
}

TEST(IdList, GivesEveryIdBack) {
  const TemporaryFolder folder;
  IdList ids(folder.path());
  std::vector<std::string> expected;
  for (int i = 0; i < 30'000; ++i) {
    expected.push_back(i % 7 == 0 ? "" : "id " + std::to_string(i * 7919));
    ids.add(expected.back());
  }
  ids.flush();
  for (std::size_t i = 0; i < expected.size(); i += 11) ASSERT_EQ(ids.at(i), expected[i]) << i;
  EXPECT_EQ(ids.at(expected.size() - 1), expected.back());
}

TEST(MinhashLshNode, SketchesOnManyThreadsAtOnce) {
  const auto documents = make_documents(200, 4);
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1);
  OpenOptions options;
  options.staging = folder.path();
  node.open({fields::documents()}, options);
  const auto alone = node.sketch(documents_batch(documents));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_EQ(node.sketch(documents_batch(documents)), alone); });
  for (auto& thread : threads) thread.join();
}

TEST(MinhashLshNode, RefusesHashesOfAnotherSize) {
  const auto [code, message] = error_of([] { Runner(flowrun_plugin_v1, {{"hash_bits", 48}}); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("'hash_bits' is 48, expected 32 or 64"));
}

TEST(MinhashLshNode, StopsWhenTheRunDoes) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1);
  OpenOptions options;
  options.staging = folder.path();
  node.open({fields::documents()}, options);
  node.consume_sketched(documents_batch(make_documents(20, 1)));
  node.request_stop();
  EXPECT_EQ(error_of([&] { node.finish(); }).first, Code::kCancelled);
  EXPECT_EQ(error_of([&] { node.consume_sketched(documents_batch(make_documents(1, 2))); }).first, Code::kCancelled);
}

}  // namespace
}  // namespace flowrun::dedupers
