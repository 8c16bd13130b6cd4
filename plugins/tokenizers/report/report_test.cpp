// The figures of a report against a second computation that knows nothing of how the first one works: every token is cut out of the text by hand or found by
// brute force.

#include "report.hpp"

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "vocabulary_texts.hpp"

namespace flowrun::tokenizers {
namespace {

const std::string kPipeline = FLOWRUN_TEST_SOURCE_DIR "/../common/pipeline/testdata/";

Json tokenizer_files() { return Json::parse(read_text(kPipeline + "tokenizers.json")); }

VocabularyTexts vocabulary_of(const Json& root) { return read_vocabulary_texts(root, build_tokenizer(root)); }

/// A vocabulary of "<eos>" (special), "a", "bb", half a character, and nothing at id 4.
VocabularyTexts small_vocabulary() {
  VocabularyTexts vocabulary;
  vocabulary.tokens = {{"<eos>", true, true}, {"a", true, false, true}, {"bb", true}, {"\xE6", true, false, true, true}, {}, {"cc", true}};
  vocabulary.size = 5;
  vocabulary.special = 1;
  vocabulary.unknown_id = 5;
  return vocabulary;
}

TEST(DocumentWords, AreRunsWithoutWhiteSpaceInBothUnits) {
  DocumentWords words;
  words.read("\u00A0 d\u00E9j\u00E0\u2003vu\n");  // no-break space, space, "déjà", em space, "vu", line feed
  EXPECT_EQ(words.character_count, 10u);
  ASSERT_EQ(words.characters.size(), 2u);
  EXPECT_EQ(words.characters[0], (Range{2, 6}));
  EXPECT_EQ(words.characters[1], (Range{7, 9}));
  EXPECT_EQ(words.bytes[0], (Range{3, 9}));
  EXPECT_EQ(words.bytes[1], (Range{12, 14}));
  words.read(" \t");
  EXPECT_TRUE(words.bytes.empty());
  EXPECT_EQ(words.character_count, 2u);
  words.read("");
  EXPECT_EQ(words.character_count, 0u);
}

/// Goes through all pairs.
std::uint64_t continued_by_brute_force(const std::vector<Range>& words, const std::vector<Range>& tokens) {
  std::uint64_t continued = 0;
  for (const Range& word : words)
    continued += std::count_if(tokens.begin(), tokens.end(), [&](const Range& token) { return std::max(word.begin, token.begin) < std::min(word.end, token.end); }) >= 2 ? 1 : 0;
  return continued;
}

TEST(ContinuedWords, AreThoseOfAllPairsOfWordsAndTokens) {
  std::mt19937 random(11);
  std::vector<std::uint8_t> pieces;
  std::uint64_t found = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Range> words, tokens;
    for (std::uint32_t at = random() % 3; words.size() < random() % 12; at = words.back().end + 1 + random() % 3) words.push_back({at, at + 1 + static_cast<std::uint32_t>(random() % 6)});
    for (std::size_t n = random() % 20; n > 0; --n) {
      const auto begin = static_cast<std::uint32_t>(random() % 50);
      tokens.push_back({begin, begin + static_cast<std::uint32_t>(random() % 9)});  // empty ones as well
    }
    if (round % 2 == 0) std::sort(tokens.begin(), tokens.end(), [](Range a, Range b) { return a.begin < b.begin; });
    const std::uint64_t expected = continued_by_brute_force(words, tokens);
    ASSERT_EQ(count_continued_words(words, tokens, pieces), expected) << "round " << round;
    found += expected;
  }
  EXPECT_GT(found, 1000u);
}

TEST(VocabularyTexts, AreTheBytesThatTokensStandFor) {
  const Json files = tokenizer_files();
  const auto text_of = [&](const char* tokenizer, const char* token) {
    const Json& root = files.at(tokenizer);
    const auto id = build_tokenizer(root).token_to_id(token);
    return id ? vocabulary_of(root).tokens.at(*id).text : "no such token";
  };
  EXPECT_EQ(text_of("gpt2", "\u0120the"), " the");
  EXPECT_EQ(text_of("gpt2", "\u010A"), "\n");
  EXPECT_EQ(text_of("bert_uncased", "the"), "the");
  EXPECT_EQ(text_of("bert_uncased", "[CLS]"), "[CLS]");
  const VocabularyTexts bert = vocabulary_of(files.at("bert_uncased"));
  EXPECT_EQ(bert.unknown_id, build_tokenizer(files.at("bert_uncased")).token_to_id("[UNK]"));
  EXPECT_GE(bert.special, 3u);
  EXPECT_TRUE(std::none_of(bert.tokens.begin(), bert.tokens.end(), [](const TokenText& token) { return token.text.starts_with("##") && token.text.size() > 2; }));
}

TEST(VocabularyTexts, EverySpellingIsUndone) {
  const auto texts_of = [](const char* json) {
    std::vector<std::string> texts;
    for (const TokenText& token : vocabulary_of(Json::parse(json)).tokens) texts.push_back(token.text);
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts_of(R"({"version": "1.0", "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": {"<unk>": 0, "<0xE6>": 1, "<0x41>": 2, "▁a": 3}, "merges": []},
                         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}]}})"),
            (Texts{"<unk>", "\xE6", "A", " a"}));
  EXPECT_EQ(texts_of(R"({"version": "1.0", "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["▁the▁end", -1.5], ["<0x41>", -2]]},
                         "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}})"),
            (Texts{"<unk>", " the end", "<0x41>"}));
  EXPECT_EQ(texts_of(R"({"version": "1.0", "model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a</w>": 0, "a": 1, "</w>": 2}, "merges": []}})"), (Texts{"a", "a", "</w>"}));
  EXPECT_EQ(texts_of(R"({"version": "1.0", "added_tokens": [{"id": 3, "content": "Ġ", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
                         "model": {"type": "WordLevel", "unk_token": "b", "vocab": {"b": 0}}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}})"),
            (Texts{"b", "", "", "\u0120"}));  // an added token is spelt as it is; ids 1 and 2 are no token's
}

TEST(VocabularyTexts, KnowBytesAndPartsOfCharacters) {
  const VocabularyTexts vocabulary = vocabulary_of(tokenizer_files().at("gpt2"));
  std::size_t single = 0, partial = 0;
  for (const TokenText& token : vocabulary.tokens) {
    if (!token.exists || token.special) continue;
    single += token.text.size() == 1 ? 1 : 0;
    EXPECT_EQ(token.single_byte, token.text.size() == 1);
    EXPECT_TRUE(token.text.size() != 1 || token.partial_character == (static_cast<unsigned char>(token.text[0]) >= 0x80)) << printable(token.text);
    partial += token.partial_character ? 1 : 0;
  }
  EXPECT_EQ(single, 256u);
  EXPECT_GE(partial, 128u);
}

TEST(VocabularyTexts, RefuseIdsThatWouldTakeAllMemory) {
  const Json root = Json::parse(R"({"version": "1.0", "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 2000000000}}})");
  try {
    vocabulary_of(root);
    FAIL();
  } catch (const flowrun::Error& error) {
    EXPECT_EQ(error.code(), flowrun::Code::kUnsupported);
    EXPECT_STREQ(error.what(), "the tokenizer has the id 2000000000, expected ids below 16777216");
  }
}

/// Random words of several scripts, some of which the tokenizers do not know.
std::string random_text(std::mt19937& random) {
  static const char* const kPieces[] = {"the", " time", " of", "water's", "\u00E9t\u00E9", "e\u0301", "\u6771\u4EAC", "\U0001F600", "\n", "\u00A0", "  ", "12", "ADDED", "<s>", "-", "\u2581"};
  std::string text;
  for (std::size_t n = random() % 25; n > 0; --n) (text += kPieces[random() % std::size(kPieces)]) += random() % 3 == 0 ? " " : "";
  return text;
}

TEST(MeasuredTokenizer, GivesTheIdsAndPlacesOfTheWholePipelineForEveryKindOfTokenizer) {
  const flowrun::testing::TemporaryFolder folder;
  std::mt19937 random(6);
  std::vector<std::uint8_t> pieces;
  std::size_t by_bytes = 0, by_characters = 0;
  const Json files = tokenizer_files();
  for (const auto& [name, root] : files.items()) {
    MeasuredTokenizer measured(folder.write(name + ".json", root.dump()));
    const Tokenizer tokenizer = build_tokenizer(root);
    MeasuredTokens tokens;
    DocumentWords words;
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random);
      Encoding expected;
      try {
        expected = tokenizer.encode(text, {.add_special_tokens = false, .split_special = true, .limit = false});
      } catch (const flowrun::Error&) {
        EXPECT_THROW(measured.encode(text, tokens), flowrun::Error);
        continue;
      }
      measured.encode(text, tokens);
      ASSERT_EQ(tokens.ids, expected.ids) << name << ": " << text;
      words.read(text);
      ASSERT_EQ(count_continued_words(tokens.in_bytes ? words.bytes : words.characters, tokens.ranges, pieces), continued_by_brute_force(words.characters, expected.offsets)) << name << ": " << text;
      ++(tokens.in_bytes ? by_bytes : by_characters);
    }
  }
  EXPECT_GT(by_bytes, 500u);
  EXPECT_GT(by_characters, 500u);
}

TEST(Printable, ShowsEveryByteOnce) {
  EXPECT_EQ(printable(" the"), " the");
  EXPECT_EQ(printable("a\nb\t\\\r"), "a\\nb\\t\\\\\\r");
  EXPECT_EQ(printable("\xE6\x9D\xB1\xE6\x9D"), "\xE6\x9D\xB1\\xE6\\x9D");
  EXPECT_EQ(printable("\u200B\u00A0\x01\x7F"), "\\u{200B}\\u{A0}\\u{1}\\u{7F}");
  EXPECT_EQ(printable("\uFFFD"), "\uFFFD");  // the character itself is well-formed
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Quantile, IsTheNearestRankOfTheSortedList) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint64_t> lengths;
    std::map<std::uint64_t, std::uint64_t> counted;
    for (std::size_t n = 1 + random() % 50; n > 0; --n) ++counted[lengths.emplace_back(random() % 30)];
    std::sort(lengths.begin(), lengths.end());
    for (const std::uint64_t percent : {1, 10, 50, 90, 99, 100}) {
      const std::size_t rank = (percent * lengths.size() + 99) / 100;  // rounded up
      EXPECT_EQ(quantile(counted, percent), lengths[rank - 1]);
    }
  }
  EXPECT_EQ(quantile({}, 50), 0u);
}

TEST(IdsToCover, AreTheFewestThatDo) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> counts(1 + random() % 10);
    for (auto& count : counts) count = random() % 20;
    std::uint64_t total = 0;
    for (const auto count : counts) total += count;
    for (const std::uint64_t percent : {90, 95, 99}) {
      std::size_t fewest = counts.size();
      for (unsigned subset = 0; subset < 1u << counts.size(); ++subset) {  // all of them
        std::uint64_t covered = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) covered += (subset >> i & 1u) != 0 ? counts[i] : 0;
        if (100.0 * static_cast<double>(covered) >= static_cast<double>(percent * total)) fewest = std::min<std::size_t>(fewest, static_cast<std::size_t>(std::popcount(subset)));
      }
      EXPECT_EQ(ids_to_cover(counts, percent), fewest);
    }
  }
}

TEST(Entropy, OfKnownDistributions) {
  EXPECT_DOUBLE_EQ(entropy_bits({5, 5, 5, 5, 0}, 1), 2);
  EXPECT_DOUBLE_EQ(entropy_bits({5, 5, 5, 5, 0}, 2.5), 2);  // every order agrees on a uniform one
  EXPECT_DOUBLE_EQ(entropy_bits({3, 1}, 1), 2 - 0.75 * std::log2(3));
  EXPECT_DOUBLE_EQ(entropy_bits({3, 1}, 2), -std::log2(10.0 / 16));
  EXPECT_EQ(entropy_bits({7}, 1), 0);
  EXPECT_EQ(entropy_bits({}, 2.5), 0);
}

TEST(Report, CountsByHand) {
  const VocabularyTexts vocabulary = small_vocabulary();
  TokenizerTally tally(vocabulary);
  std::map<std::string, TextCounts> texts;
  const auto add = [&](const std::string& domain, const std::string& text, const MeasuredTokens& tokens) {
    DocumentWords words;
    words.read(text);
    texts[domain] += {1, text.size(), words.character_count, words.bytes.size()};
    tally.add(domain, words, tokens);
  };
  add("x", "abb cc", {{1, 2, 5}, {{0, 1}, {1, 3}, {3, 6}}, true});  // "a", "bb", " cc": one word of two is in pieces
  add("x", "", {});
  add("y", "\u00E9 a", {{3, 3, 1}, {{0, 1}, {0, 1}, {1, 3}}, false});  // two tokens for one character
  const ReportJson report = make_report(texts, {{"mine", "", "BPE", &tally}}, 2);
  const ReportJson& mine = report["tokenizers"][0];
  EXPECT_EQ(report["text"]["domains"]["x"].dump(), R"({"documents":2,"bytes":6,"characters":6,"words":2})");
  EXPECT_EQ(report["text"]["total"].dump(), R"({"documents":3,"bytes":10,"characters":9,"words":4})");
  EXPECT_EQ(mine["domains"]["x"].dump(),
            R"({"tokens":3,"bytes_per_token":2.0,"characters_per_token":2.0,"fertility":1.5,"continued_words":1,"continued_word_share":0.5,"single_byte_tokens":1,)"
            R"("single_byte_share":0.3333333333333333,"partial_character_tokens":0,"partial_character_share":0.0,"unknown_tokens":1,"unknown_share":0.3333333333333333,)"
            R"("tokens_per_document":{"mean":1.5,"min":0,"p10":0,"p50":0,"p90":3,"p99":3,"max":3}})");
  EXPECT_EQ(mine["domains"]["y"]["partial_character_tokens"], 2);
  EXPECT_EQ(mine["domains"]["y"]["continued_words"], 1);
  EXPECT_EQ(mine["total"]["tokens"], 6);
  EXPECT_EQ(mine["total"]["single_byte_tokens"], 4);
  const ReportJson& vocabulary_figures = mine["vocabulary"];
  EXPECT_EQ(vocabulary_figures["size"], 5);
  EXPECT_EQ(vocabulary_figures["used"], 4);
  EXPECT_EQ(vocabulary_figures["used_once"], 2);  // "bb" and "cc"
  EXPECT_EQ(vocabulary_figures["unused"]["count"], 0);
  EXPECT_EQ(vocabulary_figures["longest"].dump(), R"([{"id":2,"bytes":2,"count":1,"text":"bb"},{"id":5,"bytes":2,"count":1,"text":"cc"}])");
  EXPECT_EQ(vocabulary_figures["token_bytes"].dump(), R"([{"bytes":1,"vocabulary":2,"tokens":4},{"bytes":2,"vocabulary":2,"tokens":2}])");
  EXPECT_EQ(mine["distribution"]["ids_to_cover_percent"].dump(), R"({"90":4,"95":4,"99":4})");
}

TEST(Report, WithoutTextHasNoRatios) {
  const VocabularyTexts vocabulary = small_vocabulary();
  const TokenizerTally tally(vocabulary);
  const ReportJson report = make_report({}, {{"mine", "", "BPE", &tally}, {"other", "a/b.json", "BPE", &tally}}, 20);
  EXPECT_TRUE(report["tokenizers"][0]["total"]["bytes_per_token"].is_null());
  EXPECT_TRUE(report["comparison"][0]["bytes_per_token_ratio"]["total"].is_null());
  EXPECT_EQ(report["tokenizers"][0]["vocabulary"]["unused"]["count"], 4);
  EXPECT_EQ(report["tokenizers"][0]["vocabulary"]["unused"]["ids"].dump(), "[1,2,3,5]");
  EXPECT_NE(markdown_of(report).find("| all "), std::string::npos);
}

TEST(ShortNames, AreTheNearestThatTellTokenizersApart) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(short_names({"gpt2/tokenizer.json", "../runs/large/tokenizer/tokenizer.json", "runs/pretrain/model/tokenizer.json", "peers/o200k.json"}), (Names{"gpt2", "large", "pretrain", "o200k"}));
  EXPECT_EQ(short_names({"a/x/tokenizer.json", "b/x/tokenizer.json", "y.json"}), (Names{"a/x/tokenizer.json", "b/x/tokenizer.json", "y"}));
  EXPECT_EQ(short_names({"tokenizer.json", "../tokenizer.json", "tokenizer/tokenizer.json"}), (Names{"tokenizer.json", "../tokenizer.json", "tokenizer/tokenizer.json"}));
  EXPECT_EQ(short_names({"old/tokenizer.txt.json", "tokenizer.old/tokenizer.json", "a/tokenizer.bin"}), (Names{"tokenizer.txt", "tokenizer.old", "a/tokenizer.bin"}));  // "tokenizer" is the artifact's
}

TEST(Markdown, NothingEndsACell) {
  VocabularyTexts vocabulary = small_vocabulary();
  vocabulary.tokens[2].text = "`|` \n";
  TokenizerTally tally(vocabulary);
  DocumentWords words;
  words.read("x");
  tally.add("a|b\nc", words, {{2}, {{0, 1}}, true});
  const std::string text = markdown_of(make_report({{"a|b\nc", {1, 1, 1, 1}}}, {{"mine", "", "BPE", &tally}}, 1));
  EXPECT_NE(text.find("| a\\|b\\nc "), std::string::npos) << text;
  EXPECT_NE(text.find("`\"\\x60\\x7C\\x60 \\n\"`"), std::string::npos) << text;
}

TEST(Tally, GoesThroughItsSavedForm) {
  const VocabularyTexts vocabulary = small_vocabulary();
  TokenizerTally tally(vocabulary), restored(vocabulary);
  DocumentWords words;
  words.read("abb cc");
  tally.add("x", words, {{1, 2, 5}, {{0, 1}, {1, 3}, {3, 6}}, true});
  tally.add("", words, {{1}, {{0, 6}}, true});
  restored.restore(Json::parse(tally.to_json().dump()));
  EXPECT_EQ(restored.counts(), tally.counts());
  EXPECT_EQ(restored.domains(), tally.domains());
}

}  // namespace
}  // namespace flowrun::tokenizers
