#pragma once

// datatrove 0.10.1's deduplication of spans of sentences (pipeline/dedup/sentence_dedup.py; C4's rule: Raffel et al. 2020, JMLR 21, section 2.2): all but the first of every
// n sentences that follow one another go. Sentences are those of spaCy's blank `en`, compared as simplify_text leaves them. A document that loses some goes altogether where
// too little is left. datatrove does it in three passes over all documents; as a span is a duplicate if it stood in one before or earlier in its own, one pass gives the same.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/text/english/words.hpp"
#include "common/text/python_text.hpp"
#include "common/text/simplified_text.hpp"

namespace flowrun::dedupers {

/// Limits under datatrove's names; 0 switches the last two off.
struct SentenceRules {
  std::int64_t n_sentences = 3, min_doc_words = 50, min_num_sentences = 3;
};

/// Takes spans out of texts. One thread at a time.
class SentenceSpans {
 public:
  /// What becomes of a text.
  struct Result {
    const char* reason = nullptr;  ///< why it is dropped: only_duplicates, too_few_words, too_few_sentences
    std::int64_t value = 0, threshold = 0;
    std::optional<std::string> text{};  ///< where it goes on changed
  };

  explicit SentenceSpans(SentenceRules rules) : rules_(rules) {}
  /// `is_new` is asked for every span, in order, and remembers it.
  Result deduplicate(std::string_view text, const std::function<bool(std::string_view)>& is_new);

 private:
  Result judge(std::string text) const;

  SentenceRules rules_;
  text::EnglishWords english_;
  text::TextSimplifier simplifier_;
  text::CodePointClasses classes_;
};

}  // namespace flowrun::dedupers
