#include "filters/common/word_splitter.hpp"

#include <flowrun/error.hpp>

#include <string>

namespace flowrun::filters {
namespace {

/// Calls `use` with each word of Python's str.split().
template <class Use>
void for_each_chunk(std::string_view text, const CodePointClasses& classes, Use use) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    CodePoint c{};
    while (at < text.size() && !(classes[(c = code_point_at(text, at)).value] & kSpace)) at = c.end;
    if (at > begin) use(text.substr(begin, at - begin));
    else at = c.end;
  }
}

}  // namespace

Parameter words_parameter() {
  return string("words").choices({"english", "whitespace"}).defaults("english").about(
      "What a word is; \"english\": what datatrove's splitter for English gives, spaCy's blank `en`; \"whitespace\": what stands between Unicode white space, as in Python's str.split().");
}

WordSplitter::WordSplitter(std::string_view words) {
  if (words == "english") english_ = std::make_unique<EnglishWords>();
  else if (words == "whitespace") classes_ = std::make_unique<CodePointClasses>();
  else throw Error(Code::kInvalidArgument, "'words' is '" + std::string(words) + "', expected english or whitespace");
}

void WordSplitter::split(std::string_view text, WordList& out) const {
  if (english_) return english_->split(text, out);
  out.words.clear();
  for_each_chunk(text, *classes_, [&](std::string_view word) { out.words.push_back(word); });
}

std::int64_t count_chunks(std::string_view text, const CodePointClasses& classes) noexcept {
  std::int64_t count = 0;
  for_each_chunk(text, classes, [&](std::string_view) { ++count; });
  return count;
}

}  // namespace flowrun::filters
