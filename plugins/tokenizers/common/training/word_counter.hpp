#pragma once

// Counts how often each word occurs: all that the training of a tokenizer needs of a text. What does not fit into memory goes to disk as sorted runs, which
// are merged when the words are read.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/short_key.hpp"
#include "common/unnamed_file.hpp"

namespace flowrun::tokenizers {

/// Maps words (any bytes) to 64-bit counts. One thread at a time.
///
/// Memory: `memory_bytes`, or 1 MiB where that is more, and the longest word; a text of fewer distinct words takes what they need. Disk: the distinct words
/// of each run, with a few bytes for each. Throws kIo where a run cannot be written.
class WordCounter {
 public:
  struct Options {
    std::size_t memory_bytes = std::size_t{256} << 20;
    std::string folder = ".";  ///< where runs go, as files without a name
  };

  explicit WordCounter(Options options);

  void add(std::string_view word, std::uint64_t count = 1) { add(word, 0, word.size(), count); }
  /// Adds the word `text.substr(begin, end - begin)`: somewhat faster, as bytes behind the word may be read.
  void add(std::string_view text, std::size_t begin, std::size_t end, std::uint64_t count = 1);

  /// Calls f(std::string_view word, std::uint64_t count) for every distinct word once, in the order of their bytes. More may be added afterwards.
  template <class F>
  void for_each(F&& f);

  /// Returns how many words were added, repetitions counted.
  std::uint64_t words() const noexcept { return words_; }
  /// Returns how many sorted runs lie on disk.
  std::size_t runs() const noexcept { return runs_.size(); }
  std::size_t memory_bytes() const noexcept;
  const Options& options() const noexcept { return options_; }

  /// Writes what is in memory to disk as a run, so that the memory is free for whoever reads the words.
  void release_memory();
  /// Makes one run of all words where there are several, which a reader that comes often would merge each time.
  void settle();

  /// Writes all words to the file at `path`. Throws kIo.
  void save(const std::string& path);
  /// Takes the words from a file in place of those that are there. Throws kNotFound, and kCorruptData where it is not what `save` wrote.
  void load(const std::string& path);

 private:
  using Key = bpe::ShortKey<2>;
  // Words of up to 15 bytes, nineteen in twenty of English, lie in the table itself: one cache line a look-up.
  struct ShortSlot {
    Key key;
    std::uint64_t count;  // 0: the slot is free
  };
  struct LongSlot {
    const char* bytes;
    std::uint32_t size;
    std::uint32_t hash;
    std::uint64_t count;  // 0: the slot is free
  };
  class Words;
  class MemoryWords;
  class RunWords;
  class MergedWords;

  void add_short(const Key& key, std::uint64_t count);
  void add_long(std::string_view word, std::uint64_t count);
  bool may_take(std::size_t bytes) const noexcept;
  void sort();
  void unsort();
  void spill();
  std::unique_ptr<Words> all_words();
  std::unique_ptr<Words> words_of_runs() const;
  void merge_runs();
  void write_run(Words& words);
  std::string_view keep(std::string_view word);
  void forget();

  Options options_;
  std::vector<ShortSlot> short_;
  std::size_t short_used_ = 0;
  std::vector<LongSlot> long_;
  std::size_t long_used_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;  // own the long words
  std::size_t block_bytes_ = 0, block_used_ = 0, block_size_ = 0;
  bool sorted_ = false;  // the tables are lists, in order, from their front
  std::vector<common::UnnamedFile> runs_;
  std::uint64_t words_ = 0;
};

/// Words in order, one after another.
class WordCounter::Words {
 public:
  virtual ~Words() = default;
  /// Goes to the next word; returns whether there is one. The word is valid until the next call.
  virtual bool next() = 0;
  std::string_view word;
  std::uint64_t count = 0;
};

template <class F>
void WordCounter::for_each(F&& f) {
  const auto words = all_words();
  while (words->next()) f(words->word, words->count);
}

}  // namespace flowrun::tokenizers
