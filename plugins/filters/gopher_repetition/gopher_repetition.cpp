#include "gopher_repetition.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "filters/common/duplicates.hpp"

namespace flowrun::filters {
namespace {

/// Splits at runs of at least `run` newlines, as re.split(r"\n{run,}") does.
std::vector<std::string_view> split_at_newlines(std::string_view text, std::size_t run) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_not_of('\n', at), text.size());
    if (end - at >= run) {
      parts.push_back(text.substr(begin, at - begin));
      begin = end;
    }
    at = text.find('\n', end);
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// Numbers the different n-grams of a text's words from 0 in order of appearance, for one n after the other: an n-gram is the (n-1)-gram
/// before it and a word.
class TopNGrams {
 public:
  explicit TopNGrams(std::span<const std::string_view> words) : words_(words), numbers_(words.size()) {
    index_.reset(words.size());
    std::vector<std::uint32_t> word_of;  // by number
    for (std::uint32_t i = 0; i < words.size(); ++i) {
      const auto number = static_cast<std::uint32_t>(word_of.size());
      numbers_[i] = index_.find_or_add(hash_bytes(words[i]), number, [&](std::uint32_t other) { return words[word_of[other]] == words[i]; });
      if (numbers_[i] == number) word_of.push_back(i);
    }
    word_numbers_ = numbers_;
    tally();
  }

  int n() const noexcept { return n_; }
  bool empty() const noexcept { return numbers_.empty(); }

  void grow() {
    ++n_;
    const std::size_t count = numbers_.empty() ? 0 : numbers_.size() - 1;
    index_.reset(count);
    std::vector<std::uint64_t> keys;  // by number
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t key = std::uint64_t{numbers_[i]} << 32 | word_numbers_[i + static_cast<std::size_t>(n_) - 1];
      const auto number = static_cast<std::uint32_t>(keys.size());
      numbers_[i] = index_.find_or_add(key, number, [&](std::uint32_t other) { return keys[other] == key; });
      if (numbers_[i] == number) keys.push_back(key);
    }
    numbers_.resize(count);
    tally();
  }

  /// The characters of the n-gram that is most frequent (of several, the first), words joined by spaces, times how often it is there.
  double top_characters() const {
    const auto top = static_cast<std::size_t>(std::max_element(counts_.begin(), counts_.end()) - counts_.begin());
    std::int64_t characters = n_ - 1;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n_); ++i) characters += character_count(words_[firsts_[top] + i]);
    return static_cast<double>(characters * counts_[top]);
  }

 private:
  void tally() {
    counts_.clear();
    firsts_.clear();
    for (std::uint32_t i = 0; i < numbers_.size(); ++i) {
      if (numbers_[i] == counts_.size()) {
        counts_.push_back(0);
        firsts_.push_back(i);
      }
      ++counts_[numbers_[i]];
    }
  }

  std::span<const std::string_view> words_;
  int n_ = 1;
  std::vector<std::uint32_t> numbers_, word_numbers_;  ///< by place
  std::vector<std::int64_t> counts_;                   ///< by number
  std::vector<std::uint32_t> firsts_;                  ///< by number: the first place
  HashIndex index_;
};

/// Counts repeated n-grams as datatrove's find_all_duplicate does: from left to right, behind a repeated one going on after it. Two n-grams are
/// equal where their words without anything between are, wherever the words end.
class JoinedNGrams {
 public:
  explicit JoinedNGrams(std::span<const std::string_view> words) {
    std::size_t bytes = 0;
    for (const std::string_view word : words) bytes += word.size();
    joined_.reserve(bytes);
    for (const std::string_view word : words) {
      begins_.push_back(joined_.size());
      joined_ += word;
      hashes_.push_back(hash_bytes(word));
      std::uint64_t power = 1;
      for (std::size_t i = 0; i < word.size(); ++i) power *= kHashBase;
      powers_.push_back(power);
    }
    begins_.push_back(joined_.size());
    grown_ = hashes_;
  }

  double repeated_characters(std::size_t n) {
    if (words() < n) return 0;
    grow(n);
    const std::size_t count = words() - n + 1;
    index_.reset(count);
    std::int64_t characters = 0;
    for (std::size_t i = 0; i < count;) {
      const auto place = static_cast<std::uint32_t>(i);
      if (index_.find_or_add(grown_[i], place, [&](std::uint32_t other) { return n_gram(other, n) == n_gram(place, n); }) == place) {
        ++i;
      } else {
        characters += character_count(n_gram(place, n));
        i += n;
      }
    }
    return static_cast<double>(characters);
  }

 private:
  std::size_t words() const noexcept { return hashes_.size(); }
  std::string_view n_gram(std::size_t place, std::size_t n) const noexcept {
    return std::string_view(joined_).substr(begins_[place], begins_[place + n] - begins_[place]);
  }
  /// Makes the hashes of n-grams out of those of shorter ones.
  void grow(std::size_t n) {
    if (n < n_) {
      grown_ = hashes_;
      n_ = 1;
    }
    for (; n_ < n; ++n_)
      for (std::size_t i = 0; i + n_ < words(); ++i) grown_[i] = grown_[i] * powers_[i + n_] + hashes_[i + n_];
  }

  std::string joined_;
  std::vector<std::size_t> begins_;
  std::vector<std::uint64_t> hashes_, powers_;  ///< of words: hash, and kHashBase to the power of its bytes
  std::vector<std::uint64_t> grown_;            ///< by place: the hash of n_ words
  std::size_t n_ = 1;
  HashIndex index_;
};

}  // namespace

GopherRepetition::GopherRepetition(RepetitionLimits limits) : limits_(std::move(limits)) {
  for (const auto& [n, threshold] : limits_.top_n_grams) top_reasons_[n] = "top_" + std::to_string(n) + "_gram";
  for (const auto& [n, threshold] : limits_.dup_n_grams) dup_reasons_[n] = "duplicated_" + std::to_string(n) + "_n_grams";
}

std::optional<Verdict> GopherRepetition::check_lines(std::string_view text) const {
  if (text.empty()) return Verdict{"empty"};
  const auto characters = static_cast<double>(character_count(text));
  const auto above = [](double value, double threshold) { return threshold != 0 && value > threshold; };
  const auto check = [&](const std::vector<std::string_view>& parts, const char* reason, double threshold, const char* character_reason, double character_threshold) -> std::optional<Verdict> {
    const Duplicates duplicates = find_duplicates(parts);
    const double share = static_cast<double>(duplicates.elements) / static_cast<double>(parts.size());
    if (above(share, threshold)) return Verdict{reason, share, threshold};
    const double character_share = static_cast<double>(duplicates.characters) / characters;
    if (above(character_share, character_threshold)) return Verdict{character_reason, character_share, character_threshold};
    return std::nullopt;
  };
  if (const auto verdict = check(split_at_newlines(strip(text, classes_), 2), "dup_para_frac", limits_.dup_para_frac, "dup_para_char_frac", limits_.dup_para_char_frac)) return verdict;
  return check(split_at_newlines(text, 1), "dup_line_frac", limits_.dup_line_frac, "dup_line_char_frac", limits_.dup_line_char_frac);
}

std::optional<Verdict> GopherRepetition::check_n_grams(std::string_view text, std::span<const std::string_view> words) const {
  const auto characters = static_cast<double>(character_count(text));
  TopNGrams top(words);
  for (const auto& [n, threshold] : limits_.top_n_grams) {
    while (top.n() < n) top.grow();
    if (top.empty()) continue;
    if (const double share = top.top_characters() / characters; share > threshold) return Verdict{top_reasons_.at(n).c_str(), share, threshold};
  }
  JoinedNGrams joined(words);
  for (const auto& [n, threshold] : limits_.dup_n_grams)
    if (const double share = joined.repeated_characters(static_cast<std::size_t>(n)) / characters; share > threshold) return Verdict{dup_reasons_.at(n).c_str(), share, threshold};
  return std::nullopt;
}

}  // namespace flowrun::filters
