#pragma once

// Labelled texts on disk and the counts of their words in memory: what a classifier is trained on.

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filters/common/fasttext/dictionary.hpp"

namespace flowrun::filters::fasttext {

/// Words and labels in the order in which they come up first, as fastText keeps them.
class WordCounts {
 public:
  struct Counted {
    std::string text;
    std::int64_t count = 0;
    bool is_label = false;
  };
  void add(std::string_view text, bool is_label);
  /// Returns about how much memory the counts take.
  std::size_t memory_bytes() const noexcept { return bytes_; }
  const std::vector<Counted>& entries() const noexcept { return entries_; }
  /// Returns words of at least `min_count` and all labels, the most frequent first. Of equally frequent ones the order is fastText's, which is what
  /// std::sort makes of their first appearance.
  void finish(std::int64_t min_count, std::vector<Entry>& words, std::vector<Entry>& labels) const;
  void save(const std::string& path) const;
  void load(const std::string& path);

 private:
  std::vector<Counted> entries_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< of the entries, labels with their prefix
  std::size_t bytes_ = 0;
};

/// One labelled text as training reads it.
struct Example {
  std::string label;  ///< with "__label__"
  std::string text;
  std::int64_t tokens = 0;  ///< words, the label and the end of the line
};

/// Appends examples to a file, counts their words, and reads them again in order.
class TrainingSet {
 public:
  explicit TrainingSet(std::string path);
  ~TrainingSet();
  TrainingSet(const TrainingSet&) = delete;
  TrainingSet& operator=(const TrainingSet&) = delete;

  /// Adds a text; `label` has no prefix. Words that look like labels do not count, and nothing behind a word "</s>" does. Throws kIo.
  void add(std::string_view label, std::string_view text);
  /// Calls `use` with each example until it returns false. Throws kIo, and kCorruptData where the file has been changed.
  void for_each(const std::function<bool(const Example&)>& use);
  const WordCounts& counts() const noexcept { return counts_; }
  std::int64_t tokens() const noexcept { return tokens_; }
  std::int64_t examples() const noexcept { return examples_; }

  void save(const std::string& folder);
  void load(const std::string& folder);

 private:
  void write(const void* data, std::size_t bytes);
  void flush();

  std::string path_;
  std::fstream file_;
  WordCounts counts_;
  std::int64_t tokens_ = 0, examples_ = 0;
};

}  // namespace flowrun::filters::fasttext
