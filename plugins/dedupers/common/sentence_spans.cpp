#include "dedupers/common/sentence_spans.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace flowrun::dedupers {
namespace {

/// The end of spaCy's last sentence: a single space behind the last word belongs to no sentence.
std::size_t end_of_sentences(std::string_view text, const text::CodePointClasses& classes) noexcept {
  const std::size_t words = text::strip_right(text, classes).size();
  return words > 0 && text.substr(words) == " " ? words : text.size();
}

}  // namespace

SentenceSpans::Result SentenceSpans::deduplicate(std::string_view text, const std::function<bool(std::string_view)>& is_new) {
  const auto span = static_cast<std::size_t>(rules_.n_sentences);
  const auto sentences = english_.split_sentences(text);
  std::vector<std::string> simplified;  // of those that are not white space alone, which the last may be
  for (const std::string_view sentence : sentences) {
    if (text::strip(sentence, classes_).empty()) break;
    simplifier_.simplify(sentence, simplified.emplace_back());
  }

  std::string kept, key;
  std::size_t removed_until = 0;
  bool changed = false;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (i + span <= simplified.size()) {
      key = simplified[i];
      for (std::size_t k = 1; k < span; ++k) (key += ' ') += simplified[i + k];
      const bool blank = key.find_first_not_of(' ') == key.npos;
      if (!blank && !is_new(key)) removed_until = i + span;
    }
    if (i < removed_until) changed = true;
    else kept += sentences[i];
  }
  if (!changed) return text.empty() ? Result{.reason = "empty"} : Result{};

  if (const std::size_t after = text.size() - end_of_sentences(text, classes_); removed_until < sentences.size()) kept.resize(kept.size() - after);
  return judge(std::string(text::strip_left(kept, classes_)));
}

SentenceSpans::Result SentenceSpans::judge(std::string text) const {
  if (text.empty()) return {.reason = "only_duplicates"};
  if (rules_.min_doc_words > 0) {
    text::WordList words;
    english_.split(text, words);
    const auto count = static_cast<std::int64_t>(words.words.size());
    if (count < rules_.min_doc_words) return {"too_few_words", count, rules_.min_doc_words, {}};
  }
  if (rules_.min_num_sentences > 0) {
    const auto count = static_cast<std::int64_t>(english_.split_sentences(text).size());
    if (count < rules_.min_num_sentences) return {"too_few_sentences", count, rules_.min_num_sentences, {}};
  }
  return {.text = std::move(text)};
}

}  // namespace flowrun::dedupers
