#pragma once

// How fastText makes features of a text (fastText 0.9.2, MIT licence, src/dictionary.cc): words, their character n-grams and n-grams of
// words, each a row of the input matrix. Words stand in the dictionary; n-grams are hashed into `bucket` rows behind the words, of which a
// pruned model has kept a few.

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::filters::fasttext {

inline constexpr std::string_view kEndOfLine = "</s>";  ///< the word at the end of every line
inline constexpr std::string_view kLabelPrefix = "__label__";

/// fastText's hash of a word or n-gram: FNV-1a over signed characters.
inline constexpr std::uint32_t kHashStart = 2166136261;
inline std::uint32_t hash_byte(std::uint32_t hash, char byte) noexcept {
  return (hash ^ static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(byte)))) * 16777619;
}
inline std::uint32_t hash_word(std::string_view word) noexcept {
  std::uint32_t hash = kHashStart;
  for (const char byte : word) hash = hash_byte(hash, byte);
  return hash;
}

/// Gives the words of a text as fastText cuts them, at ASCII white space and zero bytes, new lines included.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : rest_(text) {}
  /// Gives the next word; false behind the last.
  bool next(std::string_view& word) noexcept;

 private:
  std::string_view rest_;
};

/// Which n-grams there are; the arguments of a model that its features depend on.
struct NgramOptions {
  std::int32_t min_characters = 0, max_characters = 0;  ///< of a character n-gram, the marks < and > around a word counted; max 0: none
  std::int32_t words = 1;                               ///< the longest n-gram of words; 1: none
  std::int32_t buckets = 0;
  bool any() const noexcept { return max_characters > 0 || words > 1; }
};

/// One word or label, with its count in the training text.
struct Entry {
  std::string text;
  std::int64_t count;
};

/// Maps texts to rows. Safe to read from many threads at once.
class Dictionary {
 public:
  static constexpr std::int64_t kNotPruned = -1;
  /// The rows that n-grams of a pruned model have: hash modulo `buckets`, and row behind the words.
  using Pruned = std::vector<std::pair<std::int32_t, std::int32_t>>;

  /// `words` and `labels` in the order of their rows. `pruned` is taken for all n-grams that there are if `is_pruned`.
  Dictionary(NgramOptions ngrams, std::vector<Entry> words, std::vector<Entry> labels, bool is_pruned = false, Pruned pruned = {});

  /// Calls `use` with the rows of a line, some thousands at once, so that memory does not grow with it. A line ends at its end or behind the word
  /// "</s>"; new lines in it count as spaces. A row may come more than once.
  void for_each_rows(std::string_view line, const std::function<void(std::span<const std::uint32_t>)>& use) const;
  /// Gives all rows of a line.
  void rows_of(std::string_view line, std::vector<std::uint32_t>& rows) const;

  const std::vector<Entry>& words() const noexcept { return words_; }
  const std::vector<Entry>& labels() const noexcept { return labels_; }
  const NgramOptions& ngrams() const noexcept { return ngrams_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = kNone;
  };
  struct PrunedSlot {
    std::uint32_t bucket = kNone;
    std::uint32_t row = 0;
  };
  static constexpr std::size_t kMaxKeptRows = std::size_t{16} << 20;  ///< 64 MB
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  class RowSink;

  std::uint32_t find(std::string_view word, std::uint32_t hash) const noexcept;
  template <bool kIsPruned>
  void add_characters(std::string_view marked, RowSink& rows) const;
  void add_marked(std::string_view word, RowSink& rows) const;
  void add_word(std::string_view word, std::uint32_t id, RowSink& rows) const;
  void add_word_ngrams(const std::vector<std::int32_t>& hashes, RowSink& rows) const;
  void add_ngram(std::uint32_t bucket, RowSink& rows) const;
  /// hash % buckets by two multiplications (Lemire, Kaser and Kurz 2019, arXiv:1902.01961).
  std::uint32_t bucket_of(std::uint32_t hash) const noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint32_t>((static_cast<Wide>(bucket_factor_ * hash) * static_cast<std::uint32_t>(ngrams_.buckets)) >> 64);
  }
  void fill_slots();
  void fill_pruned_slots(const Pruned& pruned);
  void keep_rows_of_words();
  /// Most n-grams of a text were pruned: one bit says so of nearly all, without a search.
  bool may_be_kept(std::uint32_t bucket) const noexcept { return (kept_[bucket / 64 & (kept_.size() - 1)] >> (bucket % 64) & 1) != 0; }

  NgramOptions ngrams_;
  std::uint64_t bucket_factor_ = 0;
  std::vector<Entry> words_, labels_;
  std::vector<Slot> slots_;  ///< open addressing over words and then labels
  bool is_pruned_;
  std::vector<PrunedSlot> pruned_slots_;
  std::vector<std::uint64_t> kept_;           ///< bits by bucket modulo their number, a power of two
  std::vector<std::uint32_t> word_rows_;      ///< of the n-grams of the first words
  std::vector<std::uint32_t> word_row_ends_;  ///< where those of each word end
};

}  // namespace flowrun::filters::fasttext
