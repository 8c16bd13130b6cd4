#include "dedupers/common/sentence_spans.hpp"

#include <flowrun/testing/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::dedupers {
namespace {

struct Case {
  std::string text, after;
  bool dropped;
};

TEST(SentenceSpans, LeaveWhatDatatroveLeaves) {
  std::map<std::vector<std::int64_t>, std::vector<Case>> cases;  // by rules: each list is a corpus
  std::ifstream in(FLOWRUN_TEST_SOURCE_DIR "/testdata/sentences.jsonl");
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    std::vector<std::int64_t> rules;
    for (const auto& rule : json["rules"].items) rules.push_back(static_cast<std::int64_t>(rule.number()));
    cases[rules].push_back({json["text"].text, json["after"].text, json["after"].is_null()});
  }
  ASSERT_EQ(cases.size(), 2u);
  for (const auto& [rules, corpus] : cases) {
    SentenceSpans spans({rules.at(0), rules.at(1), rules.at(2)});
    std::set<std::string> seen;
    int dropped = 0, changed = 0;
    for (const Case& document : corpus) {
      const auto result = spans.deduplicate(document.text, [&](std::string_view span) { return seen.emplace(span).second; });
      EXPECT_EQ(result.reason != nullptr, document.dropped) << document.text;
      if (!document.dropped) {
        EXPECT_EQ(result.text.value_or(document.text), document.after);
      }
      dropped += document.dropped;
      changed += result.text.has_value();
    }
    EXPECT_GT(dropped, 2);
    EXPECT_GT(changed, 2);
  }
}

/// What becomes of a text after another.
SentenceSpans::Result after_seeing(const std::string& seen, const std::string& text, SentenceRules rules) {
  SentenceSpans spans(rules);
  std::set<std::string> spans_seen;
  const auto is_new = [&](std::string_view span) { return spans_seen.emplace(span).second; };
  spans.deduplicate(seen, is_new);
  return spans.deduplicate(text, is_new);
}

TEST(SentenceSpans, SayWhyATextGoes) {
  const std::string seen = "One is here. Two is here. Three is here.";
  const auto words = after_seeing(seen, "New one stands here. " + seen, {3, 6, 0});
  EXPECT_EQ(std::make_pair(std::string(words.reason), words.value), std::make_pair(std::string("too_few_words"), std::int64_t{5})) << "with the period there are five";
  const auto sentences = after_seeing(seen, "New one stands here. " + seen, {3, 0, 2});
  EXPECT_EQ(std::make_pair(std::string(sentences.reason), sentences.value), std::make_pair(std::string("too_few_sentences"), std::int64_t{1}));
  EXPECT_STREQ(after_seeing(seen, "ONE is here; two, is here. Two is here. three IS here!", {3, 0, 0}).reason, nullptr) << "cut in other places";
  EXPECT_STREQ(after_seeing(seen, "ONE is here! two, is here. (three IS here!)", {3, 0, 0}).reason, "only_duplicates");
  EXPECT_EQ(after_seeing(seen, seen + " New.", {3, 0, 0}).text, "New.");
}

}  // namespace
}  // namespace flowrun::dedupers
