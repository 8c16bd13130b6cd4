#include "tiktoken_file.hpp"

#include <string>
#include <vector>

#include <flowrun/testing/errors.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pipeline/fast_bpe.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/unigram/base64.hpp"

namespace flowrun::tokenizers {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::message_of;
using Ids = std::vector<std::uint32_t>;

// The bytes, and `more` from rank `first` on.
std::string ranks(const std::vector<std::string>& more, std::size_t first = 256) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text += encode_base64(std::string(1, static_cast<char>(byte))) + " " + std::to_string(byte) + "\n";
  for (const std::string& token : more) text += encode_base64(token) + " " + std::to_string(first++) + "\n";
  return text;
}

Tokenizer tokenizer_of(const std::string& content, const RankOptions& options) { return read_tokenizer(ranks_to_tokenizer(content, options).tokenizer_json); }

TEST(TiktokenFile, IsToldByItsFirstLine) {
  EXPECT_TRUE(is_rank_file("\r\n\nYQ== 0\r\nrest"));
  EXPECT_TRUE(is_rank_file("YQ 99999999999"));  // refused with its line, but as ranks
  for (const char* const other : {"", "\n", "YQ==", "YQ== ", " 0", "YQ==\t0", "YQ== 0 1", "YQ== x", "{\"a\": 1}", "#version: 0.2", "\n\x0e\n\x05<unk>"}) EXPECT_FALSE(is_rank_file(other)) << other;
}

TEST(TiktokenFile, EveryNamedPatternGoesThroughTheFastEncoder) {
  for (const std::string& pattern : pattern_names()) {
    const json root = json::parse(ranks_to_tokenizer(ranks({"abc", "ab"}), {pattern, "", {"<|end|>"}}).tokenizer_json);
    EXPECT_NE(FastBpe::make(root), nullptr) << pattern;
    EXPECT_EQ(root["model"]["ignore_merges"], true);
    EXPECT_EQ(root["model"]["merges"], json::parse(R"([["ab", "c"], ["a", "b"]])"));
    EXPECT_EQ(root["pre_tokenizer"]["pretokenizers"][0]["behavior"], "Isolated");
  }
}

TEST(TiktokenFile, AsksForAPatternAndSaysWhichThereAre) {
  const auto [code, text] = error_of([] { ranks_to_tokenizer(ranks({}), {}); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_NE(text.find("of no published encoding that is known here: set 'pattern' to gpt2, cl100k, o200k, llama3 or qwen2, or 'expression' to a regular expression"), std::string::npos) << text;
  // sha256sum of the same text.
  EXPECT_NE(text.find("(SHA-256 e66088df4cdb28fbad3c55ac5a7ae741bc402e732ed948eb096a8ed6f852768f)"), std::string::npos) << text;
  EXPECT_EQ(message_of([] { ranks_to_tokenizer(ranks({}), {"gpt4", "", {}}); }), "the pattern is 'gpt4', expected gpt2, cl100k, o200k, llama3 or qwen2");
}

TEST(TiktokenFile, SpecialTokensHaveTheIdsAfterTheRanks) {
  // A rank is left out, so ids have a gap.
  const std::string text = ranks_to_tokenizer(ranks({"ab", "abc"}, 300), {"gpt2", "", {"<|one|>", "<|two|>"}}).tokenizer_json;
  const Tokenizer tokenizer = read_tokenizer(text);
  EXPECT_EQ(tokenizer.encode("abc<|two|>x<|one|>").ids, (Ids{301, 303, 'x', 302}));
  EXPECT_EQ(tokenizer.decode(Ids{301, 303, 'x', 302}, false), "abc<|two|>x<|one|>");
  EXPECT_EQ(tokenizer.decode(Ids{301, 303, 'x', 302}, true), "abcx");
  const auto fast = FastBpe::make(json::parse(text));
  ASSERT_NE(fast, nullptr);
  Ids ids;
  fast->make_encoder()->encode("abc<|two", ids);
  EXPECT_EQ(ids, (Ids{301, '<', '|', 't', 'w', 'o'}));
}

TEST(TiktokenFile, RefusesSpecialTokensThatAreNone) {
  const auto message = [](std::vector<std::string> specials) { return message_of([&] { ranks_to_tokenizer(ranks({"ab"}), {"gpt2", "", std::move(specials)}); }); };
  EXPECT_EQ(message({""}), "a special token is empty");
  EXPECT_EQ(message({"<a>", "<a>"}), "the special token '<a>' is there twice");
  EXPECT_EQ(message({"<a>", "ab"}), "the special token 'ab' is spelled as the token of rank 256");
  EXPECT_EQ(message({"<a>", "\xFF"}), "special token 1 is not UTF-8");
}

TEST(TiktokenFile, AnExpressionLeavesOutWhatItDoesNotMatch) {
  EXPECT_EQ(tokenizer_of(ranks({"ab"}), {"", "[a-z]+", {}}).encode("ab,ab!").ids, (Ids{256, 256}));
  const auto [code, text] = error_of([] { tokenizer_of(ranks({}), {"", "(a)\\1", {}}); });
  EXPECT_EQ(code, Code::kUnsupported);
  EXPECT_NE(text.find("pre_tokenizer.pretokenizers[0].pattern.Regex"), std::string::npos) << text;
}

// To Oniguruma `{1,3}+` is a run of any length.
TEST(TiktokenFile, ReadsTiktokensOwnExpressionAsTiktokenDoes) {
  const std::string expression = R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
  const std::string content = ranks({"11", "1111"});
  EXPECT_EQ(tokenizer_of(content, {"", expression, {}}).encode("1111").ids, (Ids{256, '1', '1'}));
  EXPECT_EQ(ranks_to_tokenizer(content, {"", expression, {}}).tokenizer_json, ranks_to_tokenizer(content, {"cl100k", "", {}}).tokenizer_json);
}

TEST(TiktokenFile, DamageIsNamedByItsLine) {
  EXPECT_EQ(message_of([] { ranks_to_tokenizer("YQ== 0\nYQ= 1\n", {"gpt2", "", {}}); }), "line 2: 'YQ=' is not base64 of a token");
  EXPECT_EQ(message_of([] { ranks_to_tokenizer("YQ== 0\n", {"gpt2", "", {}}); }), "byte 0 is not a token");
}

}  // namespace
}  // namespace flowrun::tokenizers
