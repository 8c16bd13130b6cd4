#include "tokenizer_facts.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

namespace flowrun::blocks {
namespace {

TEST(TokenizerFacts, CountsAddedTokensBeyondTheVocabulary) {
  const auto facts = read_tokenizer_facts(
      R"({"model":{"vocab":{"a":3,"b":4}},"added_tokens":[{"id":0,"content":"<|endoftext|>"},{"id":9,"content":"<|mask|>"}]})", "", "t.json");
  EXPECT_EQ(facts.vocab_size, 10);
  EXPECT_EQ(facts.eos_token_id, 0);
  EXPECT_EQ(facts.mask_token_id, 9);
  EXPECT_EQ(facts.pad_token_id, -1);
}

TEST(TokenizerFacts, KnowsSpecialTokensByWhatTheConfigurationSays) {
  const std::string bert = R"({"model":{"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5}}})";
  const auto facts = read_tokenizer_facts(bert, R"({"pad_token":"[PAD]","sep_token":"[SEP]","mask_token":{"content":"[MASK]","lstrip":true}})", "t.json");
  EXPECT_EQ(facts.vocab_size, 6);
  EXPECT_EQ(facts.eos_token_id, 3);
  EXPECT_EQ(facts.pad_token_id, 0);
  EXPECT_EQ(facts.mask_token_id, 4);
  EXPECT_EQ(read_tokenizer_facts(bert, "", "t.json").mask_token_id, -1);
  EXPECT_EQ(read_tokenizer_facts(bert, R"({"eos_token":"a","sep_token":"[SEP]","pad_token":null})", "t.json").eos_token_id, 5);
  EXPECT_EQ(read_tokenizer_facts(bert, R"({"eos_token":"absent","sep_token":"[SEP]"})", "t.json").eos_token_id, 3);
}

TEST(TokenizerFacts, CountsThePiecesOfUnigram) {
  const auto facts = read_tokenizer_facts(R"({"model":{"vocab":[["<|endoftext|>",0.0],["<unk>",0.0],["a",-1.5]]}})", "", "t.json");
  EXPECT_EQ(facts.vocab_size, 3);
  EXPECT_EQ(facts.eos_token_id, 0);
}

TEST(TokenizerFacts, NamesTheFileThatIsNoTokenizer) {
  for (const char* text : {"", "[]", "{}", R"({"model":{}})", R"({"model":{"vocab":{"a":"x"}}})", R"({"model":{"vocab":[["a",0],[1]]}})", R"({"model":{"vocab":3}})"}) {
    try {
      read_tokenizer_facts(text, "", "t.json");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorruptData);
      EXPECT_NE(error.message().find("'t.json'"), std::string::npos) << error.message();
    }
  }
}

TEST(TokenizerFacts, RefusesAConfigurationThatIsNone) {
  EXPECT_THROW(read_tokenizer_facts(R"({"model":{"vocab":{"a":0}}})", "[1]", "t.json"), Error);
}

}  // namespace
}  // namespace flowrun::blocks
