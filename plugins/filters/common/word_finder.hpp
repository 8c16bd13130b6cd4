#pragma once

// Finds words of a list in a text, all at once (Aho and Corasick 1975), as a table of states.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::filters {

/// Safe to use from many threads at once. Time to find: linear in the text and in what is found. Memory: 4 bytes for each byte of the words and each
/// different byte in them.
class WordFinder {
 public:
  /// Words are bytes, none empty; one may stand in the list twice. Throws kUnsupported where the table would take more than kMaxTableBytes.
  explicit WordFinder(const std::vector<std::string>& words);

  static constexpr std::size_t kMaxTableBytes = std::size_t{1} << 30;

  /// Calls `found(word, end)` for each occurrence, overlapping ones too, with the word's number and the byte behind it, in the order of their ends, until it returns true.
  /// Returns whether it did.
  template <class Found>
  bool find(std::string_view text, Found found) const {
    std::uint32_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      state = next_[state * classes_ + class_of_[static_cast<unsigned char>(text[i])]];
      for (std::uint32_t ends = words_at_[state] != kNone ? state : shorter_[state]; ends != 0; ends = shorter_[ends])
        if (found(words_at_[ends], i + 1)) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void add_word(std::string_view word, std::uint32_t number);
  void link_states();

  std::array<std::uint16_t, 256> class_of_{};  ///< 0: in no word
  std::size_t classes_ = 1;
  std::vector<std::uint32_t> next_;      ///< [state, class]
  std::vector<std::uint32_t> words_at_;  ///< the word that ends in a state, kNone for none
  std::vector<std::uint32_t> shorter_;   ///< the state of the next shorter word that ends with it, 0 for none
};

}  // namespace flowrun::filters
