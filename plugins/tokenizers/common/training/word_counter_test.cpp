#include "word_counter.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>

namespace flowrun::tokenizers {
namespace {

using testing::TemporaryFolder;
using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts counts_of(WordCounter& counter) {
  Counts counts;
  counter.for_each([&](std::string_view word, std::uint64_t count) { counts.emplace_back(word, count); });
  return counts;
}

Counts counts_of(const std::map<std::string, std::uint64_t>& words) { return {words.begin(), words.end()}; }

// Words of all lengths around the border of the short table, any bytes, zeros at their ends included; few are frequent, most are rare.
std::string random_word(std::mt19937& random) {
  std::string word(random() % 4 == 0 ? random() % 40 : random() % 5, '\0');
  for (char& c : word) c = static_cast<char>(random() % 3 == 0 ? 0 : "ab\xFF\x80z"[random() % 5]);
  return word;
}

TEST(WordCounter, CountsInTheOrderOfBytes) {
  WordCounter counter({});
  const std::string longer(40, 'x');
  for (int i = 0; i < 3; ++i)
    for (const std::string& word : {longer, std::string("b"), std::string("a"), std::string("ab"), std::string(15, 'x'), std::string(16, 'x'), std::string("\xFF")}) counter.add(word);
  counter.add("a", 1ULL << 40);
  counter.add("never", 0);
  EXPECT_EQ(counts_of(counter), (Counts{{"a", (1ULL << 40) + 3}, {"ab", 3}, {"b", 3}, {std::string(15, 'x'), 3}, {std::string(16, 'x'), 3}, {longer, 3}, {"\xFF", 3}}));
  EXPECT_EQ(counter.words(), 21 + (1ULL << 40));
}

TEST(WordCounter, GivesTheSameCountsWhateverTheMemory) {
  for (unsigned seed = 0; seed < 2; ++seed) {
    std::mt19937 random(seed);
    std::map<std::string, std::uint64_t> expected;
    const TemporaryFolder folder;
    WordCounter roomy({.memory_bytes = std::size_t{1} << 30, .folder = folder.path()}), tight({.memory_bytes = 1, .folder = folder.path()});
    for (int i = 0; i < 90'000; ++i) {
      const std::string word = random_word(random) + (i % 2 == 0 ? std::to_string(random() % 30'000) : "");
      ++expected[word];
      roomy.add(word);
      tight.add(word);
    }
    EXPECT_EQ(roomy.runs(), 0u);
    EXPECT_GT(tight.runs(), 1u);
    EXPECT_LE(tight.memory_bytes(), std::size_t{1} << 20);
    EXPECT_EQ(counts_of(roomy), counts_of(expected));
    EXPECT_EQ(counts_of(tight), counts_of(expected));
    EXPECT_EQ(counts_of(tight), counts_of(expected)) << "a second time";
    for (WordCounter* const counter : {&roomy, &tight}) counter->add("a word that comes after reading");
    ++expected["a word that comes after reading"];
    EXPECT_EQ(counts_of(roomy), counts_of(expected));
    EXPECT_EQ(counts_of(tight), counts_of(expected));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "runs have no names";
  }
}

TEST(WordCounter, SettlesInOneRun) {
  const TemporaryFolder folder;
  WordCounter tight({.memory_bytes = 1, .folder = folder.path()}), roomy({.folder = folder.path()});
  for (int i = 0; i < 60'000; ++i)
    for (WordCounter* const counter : {&tight, &roomy}) counter->add(std::to_string(i % 40'000));
  ASSERT_GT(tight.runs(), 1u);
  for (WordCounter* const counter : {&tight, &roomy}) counter->settle();
  EXPECT_EQ(tight.runs(), 1u);
  EXPECT_EQ(roomy.runs(), 0u) << "what is in memory stays there";
  EXPECT_EQ(counts_of(tight), counts_of(roomy));
  tight.settle();
  tight.add("39999", 5);
  roomy.add("39999", 5);
  EXPECT_EQ(counts_of(tight), counts_of(roomy));
}

// More runs than files may be open: they are merged on the way.
TEST(WordCounter, MergesRunsWhereThereAreTooMany) {
  const TemporaryFolder folder;
  WordCounter counter({.memory_bytes = 1, .folder = folder.path()});
  const std::string tail(3000, 't');
  std::map<std::string, std::uint64_t> expected;
  for (int i = 0; i < 30'000; ++i) {
    const std::string word = std::to_string(i % 24'000) + tail;
    counter.add(word);
    ++expected[word];
    ASSERT_LE(counter.runs(), 65u);
  }
  EXPECT_GT(counter.runs(), 1u);
  EXPECT_EQ(counts_of(counter), counts_of(expected));
}

TEST(WordCounter, GoesOnFromASnapshot) {
  const TemporaryFolder folder;
  std::mt19937 random(7);
  WordCounter counter({.memory_bytes = 1, .folder = folder.path()});
  for (int i = 0; i < 40'000; ++i) counter.add(random_word(random) + std::to_string(i % 20'000));
  counter.save(folder.path("words"));
  WordCounter restored({.memory_bytes = 1, .folder = folder.path()});
  restored.add("forgotten");
  restored.load(folder.path("words"));
  EXPECT_EQ(restored.words(), counter.words());
  EXPECT_EQ(counts_of(restored), counts_of(counter));
}

TEST(WordCounter, RefusesADamagedSnapshot) {
  const TemporaryFolder folder;
  WordCounter counter({.folder = folder.path()});
  for (const char* const word : {"one", "two", "a word of more than fifteen bytes"}) counter.add(word);
  counter.save(folder.path("words"));
  const std::string good = testing::read_file(folder.path("words"));
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const bool cut : {true, false}) {
      std::string bad = good;
      if (cut) bad.resize(i);
      else bad[i] = static_cast<char>(bad[i] ^ 0x41);
      std::ofstream(folder.path("bad"), std::ios::binary) << bad;
      WordCounter other({.folder = folder.path()});
      try {
        other.load(folder.path("bad"));
        FAIL() << "byte " << i;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kCorruptData) << error.what();
      }
    }
  EXPECT_THROW(counter.load(folder.path("absent")), Error);
}

TEST(WordCounter, SaysWhereItCannotWrite) {
  const TemporaryFolder folder;
  WordCounter counter({.memory_bytes = 1, .folder = folder.path("absent")});
  try {
    for (int i = 0; i < 100'000; ++i) counter.add(std::to_string(i));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_NE(std::string(error.what()).find("absent': no file can be made: No such file or directory"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
