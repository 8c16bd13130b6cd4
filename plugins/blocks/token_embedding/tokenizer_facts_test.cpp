#include "tokenizer_facts.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

namespace flowrun::blocks {
namespace {

TEST(TokenizerFacts, CountsAddedTokensBeyondTheVocabulary) {
  const auto facts = read_tokenizer_facts(
      R"({"model":{"vocab":{"a":3,"b":4}},"added_tokens":[{"id":0,"content":"<|endoftext|>"},{"id":9,"content":"<|mask|>"}]})", "t.json");
  EXPECT_EQ(facts.vocab_size, 10);
  EXPECT_EQ(facts.eos_token_id, 0);
  EXPECT_EQ(facts.mask_token_id, 9);
  EXPECT_EQ(facts.pad_token_id, -1);
}

TEST(TokenizerFacts, NamesTheFileThatIsNoTokenizer) {
  for (const char* text : {"", "[]", "{}", R"({"model":{}})", R"({"model":{"vocab":{"a":"x"}}})"}) {
    try {
      read_tokenizer_facts(text, "t.json");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorruptData);
      EXPECT_NE(error.message().find("'t.json'"), std::string::npos) << error.message();
    }
  }
}

}  // namespace
}  // namespace flowrun::blocks
