#pragma once

// English words and sentences as datatrove 0.10.1 has them: those of spaCy's blank `en` pipeline with its sentencizer (3.8.18,
// spacy/tokenizer.pyx and spacy/lang/en, MIT licence), white space left out. A text is cut at white space. Of each chunk prefixes and
// suffixes are cut off, one of each at a time, until an exception ("don't") or nothing more is found; what is left is an exception, a URL,
// or cut at infixes. At last, runs of tokens that spell an exception are joined. Checked against spaCy, word by word, by
// bench/peers/compare_filters.py.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::text {

namespace english {
struct Chunk;
class Exceptions;
class Phrases;
}  // namespace english

/// The words of one text, in order. Used again for the next text, it allocates little.
struct WordList {
  std::vector<std::string_view> words;  ///< into the text, or into `changed`
  std::string changed;                  ///< the text without "IS_ALPHA", where datatrove takes that out
};

/// Cuts texts of valid UTF-8, up to 4 GiB each. Safe to call from many threads at once. Time: linear in the text. Takes 0.3 MB.
class EnglishWords {
 public:
  EnglishWords();
  ~EnglishWords();

  /// Gives the words of datatrove's split_into_words(text). Where a word is "IS_ALPHA" spaCy fails, and datatrove takes those characters out
  /// of the text and tries again. So does this; in datatrove the first such text of a process passes as it is.
  void split(std::string_view text, WordList& out) const;
  /// Returns whether characters may be taken out of the text as said; otherwise each chunk between white space is a word or more.
  static bool may_lose_words(std::string_view text) noexcept;
  /// Gives the parts of datatrove's split_into_sentences(text), at least one: together they are the text.
  std::vector<std::string_view> split_sentences(std::string_view text) const;

 private:
  /// Bytes [begin, end) of the text. White space that is more than one space between chunks is a token, too: it ends a run.
  struct Token {
    std::uint32_t begin, end;
    bool space;
  };
  enum class Specials { kOff, kOn };

  std::vector<Token> tokenize(std::string_view text, Specials specials = Specials::kOn) const;
  std::vector<Token> tokenize_as_datatrove(std::string_view text, std::string& changed) const;
  void cut_chunks(std::string_view text, Specials specials, std::vector<Token>& tokens) const;
  void cut_chunk(std::string_view text, std::uint32_t begin, std::uint32_t end, Specials specials, english::Chunk& chunk, std::vector<Token>& tokens) const;
  bool cut_exception(std::string_view text, std::uint32_t begin, std::uint32_t end, std::vector<Token>& tokens) const;
  void join_exceptions(std::string_view text, std::vector<Token>& tokens) const;
  void load(std::string_view text, std::uint32_t begin, std::uint32_t end, english::Chunk& chunk) const;
  std::vector<std::uint32_t> sentence_ends(std::string_view text, const std::vector<Token>& tokens) const;
  bool is_punctuation(std::string_view word) const noexcept;
  std::uint16_t classes_of(std::uint32_t code_point) const noexcept { return pages_[page_of_[code_point >> 8]][code_point & 0xFF]; }

  std::vector<std::array<std::uint16_t, 256>> pages_;  ///< bits of english::Class by code point, each different page once
  std::vector<std::uint16_t> page_of_;
  std::unique_ptr<english::Exceptions> exceptions_;
  std::unique_ptr<english::Phrases> phrases_;
};

}  // namespace flowrun::text
