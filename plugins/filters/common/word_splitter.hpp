#pragma once

// What a word is, as the parameter `words` of a filter says.

#include <flowrun/descriptor.hpp>

#include <memory>
#include <string_view>

#include "filters/common/text.hpp"

namespace flowrun::filters {

/// Returns the parameter `words`, the same in every filter.
Parameter words_parameter();

/// Cuts texts into words. Safe to call from many threads at once.
class WordSplitter {
 public:
  /// `words` is a choice of the parameter. Throws kInvalidArgument for another.
  explicit WordSplitter(std::string_view words);
  void split(std::string_view text, WordList& out) const;

 private:
  std::unique_ptr<EnglishWords> english_;       ///< one of the two
  std::unique_ptr<CodePointClasses> classes_;
};

/// Counts the words of Python's str.split(): as many or fewer than any splitter's, as all of them cut at white space.
std::int64_t count_chunks(std::string_view text, const CodePointClasses& classes) noexcept;

}  // namespace flowrun::filters
