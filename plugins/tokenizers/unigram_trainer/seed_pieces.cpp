#include "seed_pieces.hpp"

#include <divsufsort.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr char kWordEnd = WordList::kWordEnd;

struct Substring {
  std::uint64_t score;
  std::uint32_t begin, bytes;
};

// The suffixes that begin with a character, in ascending order.
std::vector<saidx_t> sort_suffixes(const std::string& text) {
  if (text.empty()) return {};
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<saidx_t>::max()))
    throw Error(Code::kUnsupported, "distinct words of " + std::to_string(text.size()) + " bytes together, expected less than 2 GiB");
  std::vector<saidx_t> suffixes(text.size());
  if (divsufsort(reinterpret_cast<const sauchar_t*>(text.data()), suffixes.data(), static_cast<saidx_t>(text.size())) != 0)
    throw Error(Code::kOutOfMemory, "no memory to sort " + std::to_string(text.size()) + " suffixes");
  std::erase_if(suffixes, [&](saidx_t at) { return !begins_character(text[static_cast<std::size_t>(at)]); });
  return suffixes;
}

// The bytes, in whole characters, that two suffixes share: counted no further than `max`, or behind the end of a word. What is shared beyond that changes
// no piece, and so there is no array of shared prefixes, which would be as large as that of the suffixes. The words' own lengths bound the time.
std::size_t shared_bytes(const std::string& text, std::size_t before, std::size_t at, std::size_t max) {
  const std::size_t end = std::min(max, text.size() - std::max(before, at));
  std::size_t length = 0;
  while (length < end && text[at + length] == text[before + length])
    if (text[at + length++] == kWordEnd) break;
  while (length > 0 && at + length < text.size() && !begins_character(text[at + length])) --length;
  return length;
}

// Calls `visit(place, bytes, frequency)` for each inner node of the suffix tree but the root, deeper ones first. Below `max_bytes` nodes are one.
template <class Visit>
void for_each_repeat(const std::string& text, std::size_t max_bytes, Visit&& visit) {
  const std::vector<saidx_t> suffixes = sort_suffixes(text);
  const auto place = [&](std::size_t i) { return static_cast<std::size_t>(suffixes[i]); };
  struct Open {
    std::size_t first, bytes;
  };
  std::vector<Open> open = {{0, 0}};
  for (std::size_t i = 1; i <= suffixes.size(); ++i) {
    const std::size_t bytes = i < suffixes.size() ? shared_bytes(text, place(i - 1), place(i), max_bytes) : 0;
    std::size_t first = i - 1;
    while (open.back().bytes > bytes) {
      first = open.back().first;
      visit(static_cast<std::uint32_t>(place(first)), static_cast<std::uint32_t>(open.back().bytes), i - first);
      open.pop_back();
    }
    if (open.back().bytes < bytes) open.push_back({first, bytes});
  }
}

// The best of `max` or fewer, in order. No more than twice as many are kept at a time.
std::vector<Substring> find_substrings(const std::string& text, std::size_t max_piece_length, std::size_t max) {
  const auto view = [&](const Substring& s) { return std::string_view(text).substr(s.begin, s.bytes); };
  const auto above = [&](const Substring& a, const Substring& b) { return a.score != b.score ? a.score > b.score : view(a) > view(b); };
  std::vector<Substring> found;
  const auto keep_best = [&] {
    if (found.size() <= max) return;
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(max), found.end(), above);
    found.resize(max);
  };
  // A character has four bytes at most, so what shares these has too many of them.
  for_each_repeat(text, 4 * (max_piece_length + 1), [&](std::uint32_t begin, std::uint32_t bytes, std::uint64_t frequency) {
    const std::string_view substring(text.data() + begin, bytes);
    const auto characters = static_cast<std::size_t>(std::count_if(substring.begin(), substring.end(), begins_character));
    if (characters < 2 || characters > max_piece_length || substring.find(kWordEnd) != std::string_view::npos) return;
    found.push_back({frequency * characters, begin, bytes});
    if (found.size() / 2 > max) keep_best();
  });
  keep_best();
  std::sort(found.begin(), found.end(), above);
  return found;
}

std::vector<ScoredPiece> count_characters(const WordList& words) {
  std::map<std::string_view, std::uint64_t> counts;
  for (const auto [word, count] : words) {
    for (std::size_t i = 0; i < word.size();) {
      const std::size_t bytes = utf8_bytes(word, i);
      if (word[i] != kWordEnd) counts[word.substr(i, bytes)] += count;
      i += bytes;
    }
  }
  std::vector<ScoredPiece> pieces;
  for (const auto& [character, count] : counts) pieces.push_back({std::string(character), static_cast<double>(count)});
  const auto above = [](const ScoredPiece& a, const ScoredPiece& b) { return a.score != b.score ? a.score > b.score : a.piece > b.piece; };
  std::sort(pieces.begin(), pieces.end(), above);
  return pieces;
}

}  // namespace

std::vector<ScoredPiece> make_seed_pieces(const WordList& words, std::size_t max_piece_length, std::size_t seed_size) {
  std::vector<ScoredPiece> pieces = count_characters(words);
  // One substring at least, so it is in the library.
  const std::size_t substrings_max = seed_size > pieces.size() ? seed_size - pieces.size() : 1;
  for (const Substring& substring : find_substrings(words.text(), max_piece_length, substrings_max))
    pieces.push_back({words.text().substr(substring.begin, substring.bytes), static_cast<double>(substring.score)});
  double sum = 0;
  for (const ScoredPiece& piece : pieces) sum += piece.score;
  for (ScoredPiece& piece : pieces) piece.score = std::log(piece.score) - std::log(sum);
  return pieces;
}

}  // namespace flowrun::tokenizers
