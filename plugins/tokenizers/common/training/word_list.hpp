#pragma once

// The distinct words of a text, for trainers that need all of them at once.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "word_counter.hpp"

namespace flowrun::tokenizers {

/// States how often a word occurs. The text belongs to the list.
struct WordCount {
  std::string_view word;
  std::uint64_t count;
};

/// Words (any bytes, none of them empty) and their counts, in the order in which they were added.
///
/// Memory: 13 bytes a word beside its own; while it grows, up to twice as much, but where `reserve` was told.
class WordList {
 public:
  /// Stands behind each word in `text`, so that a search over all words at once tells where one ends.
  static constexpr char kWordEnd = '\0';

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = WordCount;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = WordCount;
    Iterator(const WordList& list, std::size_t index) : list_(&list), index_(index) {}
    WordCount operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const WordList* list_;
    std::size_t index_;
  };

  WordList() = default;
  WordList(std::initializer_list<WordCount> words) {
    for (const WordCount& word : words) add(word.word, word.count);
  }

  void reserve(std::size_t words, std::size_t bytes);
  /// Passes over an empty word. Throws kUnsupported where the words, with a byte behind each, would have 4 GiB together.
  void add(std::string_view word, std::uint64_t count);

  bool empty() const noexcept { return counts_.empty(); }
  std::size_t size() const noexcept { return counts_.size(); }
  WordCount operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {std::string_view(text_).substr(begin, ends_[i] - begin - 1), counts_[i]};
  }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  /// Returns all words, each with `kWordEnd` behind it.
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::vector<std::uint32_t> ends_;  // of each word in `text_`, behind its end
  std::vector<std::uint64_t> counts_;
};

/// Returns the words of `counts` in the order of their bytes, and empties it, with its folder for runs `folder`. Memory: that of the list, and a quarter of
/// what the counter may take while it is read. Throws as WordList::add.
WordList take_words(WordCounter& counts, const std::string& folder);

/// Gives memory that is free to this process back to the system, so that it does not stand beside what comes next. Nothing where that cannot be told.
void give_back_memory() noexcept;

}  // namespace flowrun::tokenizers
