#include "seed_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr char kWordEnd = '\0';

// Calls add(begin, end) for each suffix of a word, from each of its characters up to the end or to `max` characters.
template <class Add>
void for_each_suffix(std::string_view word, std::size_t max, Add&& add) {
  const auto next = [&](std::size_t at) {
    do ++at;
    while (at < word.size() && !begins_character(word[at]));
    return at;
  };
  std::size_t end = 0, characters = 0;  // of the suffix at `begin`
  for (std::size_t begin = 0; begin < word.size(); begin = next(begin)) {
    if (word[begin] == kWordEnd) {
      end = begin + 1;
      characters = 0;
      continue;
    }
    for (; characters < max && end < word.size() && word[end] != kWordEnd; ++characters) end = next(end);
    add(begin, end);
    --characters;
  }
}

// The bytes, in whole characters, that two texts share.
std::size_t shared_bytes(std::string_view a, std::string_view b) {
  auto length = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).second - b.begin());
  while (length > 0 && length < b.size() && !begins_character(b[length])) --length;
  return length;
}

// Calls `visit(substring, frequency)` for each inner node of the suffix tree but the root, deeper ones first.
template <class Visit>
void for_each_repeat(WordCounter& suffixes, Visit&& visit) {
  struct Open {
    std::uint64_t first;  // of its suffixes
    std::size_t bytes;
  };
  std::vector<Open> open = {{0, 0}};
  std::string before;
  std::uint64_t begin = 0, end = 0;  // of those that are `before`
  const auto meet = [&](std::string_view suffix) {
    const std::size_t bytes = shared_bytes(before, suffix);
    std::uint64_t first = begin;
    while (open.back().bytes > bytes) {
      first = open.back().first;
      visit(std::string_view(before).substr(0, open.back().bytes), end - first);
      open.pop_back();
    }
    if (open.back().bytes < bytes) open.push_back({first, bytes});
  };
  suffixes.for_each([&](std::string_view suffix, std::uint64_t count) {
    meet(suffix);
    before = suffix;
    begin = end;
    end += count;
  });
  meet({});
}

// The best substrings of those that were offered. A quarter more than wanted are kept at a time.
class BestSubstrings {
 public:
  explicit BestSubstrings(std::size_t max) : max_(max) {}

  void offer(std::string_view substring, std::uint64_t score) {
    if (score < least_score_) return;
    if (text_.size() > std::numeric_limits<std::uint32_t>::max() - substring.size())
      throw Error(Code::kUnsupported, "the pieces to begin with have 4 GiB together, expected less");
    const std::size_t room = max_ + max_ / 4 + 1;
    if (found_.size() == found_.capacity()) found_.reserve(std::min(room, 2 * found_.size() + 64));
    found_.push_back({score, static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(substring.size())});
    text_ += substring;
    if (found_.size() == room) drop_worst();
  }

  /// Leaves the best, in order. None are offered then.
  void finish() {
    drop_worst();
    std::sort(found_.begin(), found_.end(), [this](const Substring& a, const Substring& b) { return above(a, b); });
  }
  std::size_t size() const noexcept { return found_.size(); }
  std::size_t bytes() const noexcept { return text_.size(); }
  /// Calls f(substring, score) for each.
  template <class F>
  void for_each(F&& f) const {
    for (const Substring& substring : found_) f(view(substring), substring.score);
  }

 private:
  struct Substring {
    std::uint64_t score;
    std::uint32_t begin, bytes;  // in text_
  };

  std::string_view view(const Substring& s) const { return std::string_view(text_).substr(s.begin, s.bytes); }
  bool above(const Substring& a, const Substring& b) const { return a.score != b.score ? a.score > b.score : view(a) > view(b); }

  void drop_worst() {
    if (found_.size() <= max_) return;
    const auto worst = found_.begin() + static_cast<std::ptrdiff_t>(max_) - 1;
    std::nth_element(found_.begin(), worst, found_.end(), [this](const Substring& a, const Substring& b) { return above(a, b); });
    least_score_ = worst->score;
    found_.resize(max_);
    std::sort(found_.begin(), found_.end(), [](const Substring& a, const Substring& b) { return a.begin < b.begin; });
    std::size_t end = 0;
    for (Substring& substring : found_) {
      std::copy_n(text_.begin() + substring.begin, substring.bytes, text_.begin() + static_cast<std::ptrdiff_t>(end));
      substring.begin = static_cast<std::uint32_t>(end);
      end += substring.bytes;
    }
    text_.resize(end);
  }

  std::size_t max_;
  std::uint64_t least_score_ = 0;  // what is worth less has been beaten by `max_` others
  std::vector<Substring> found_;
  std::string text_;
};

// Half of the memory is for counting suffixes; while they are read, that of the best substrings stands beside a quarter.
BestSubstrings find_substrings(WordCounter& words, std::size_t max_piece_length, std::size_t max, const std::function<void()>& interrupt) {
  constexpr std::size_t kPerInterrupt = 4096;
  std::size_t read = 0;
  const auto listen = [&] {
    if (read++ % kPerInterrupt == 0) interrupt();
  };
  WordCounter::Options options = words.options();
  options.memory_bytes /= 2;
  WordCounter suffixes(options);
  words.for_each([&](std::string_view word, std::uint64_t) {
    listen();
    for_each_suffix(word, max_piece_length + 1, [&](std::size_t begin, std::size_t end) { suffixes.add(word, begin, end); });
  });
  if (suffixes.memory_bytes() > options.memory_bytes / 2) suffixes.release_memory();
  BestSubstrings best(max);
  for_each_repeat(suffixes, [&](std::string_view substring, std::uint64_t frequency) {
    listen();
    const std::size_t characters = count_code_points(substring);
    if (characters >= 2 && characters <= max_piece_length) best.offer(substring, frequency * characters);
  });
  return best;
}

std::vector<CharacterCount> by_count(const CharacterCounts& characters) {
  std::vector<CharacterCount> counts = characters.counts();
  std::erase_if(counts, [](const CharacterCount& entry) { return entry.character == static_cast<char32_t>(kWordEnd); });
  std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.character > b.character; });
  return counts;
}

}  // namespace

void add_seed_pieces(WordCounter& words, const CharacterCounts& characters, std::size_t max_piece_length, std::size_t seed_size,
                     const std::function<void()>& interrupt, PieceList& pieces) {
  const std::vector<CharacterCount> counts = by_count(characters);
  // One substring at least, so it is in the library.
  BestSubstrings best = find_substrings(words, max_piece_length, seed_size > counts.size() ? seed_size - counts.size() : 1, interrupt);
  const std::size_t first = pieces.size();
  best.finish();
  pieces.reserve(first + counts.size() + best.size(), 4 * counts.size() + best.bytes());
  for (const CharacterCount& entry : counts) {
    std::string character;
    append_utf8(entry.character, character);
    pieces.add(character, static_cast<double>(entry.count));
  }
  best.for_each([&](std::string_view substring, std::uint64_t score) { pieces.add(substring, static_cast<double>(score)); });
  const std::vector<double>& scores = pieces.scores();
  const double log_sum = std::log(std::accumulate(scores.begin() + static_cast<std::ptrdiff_t>(first), scores.end(), 0.0));
  for (std::size_t id = first; id < pieces.size(); ++id) pieces.set_score(id, std::log(scores[id]) - log_sum);
}

}  // namespace flowrun::tokenizers
