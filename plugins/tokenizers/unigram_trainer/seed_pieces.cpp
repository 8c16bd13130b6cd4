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

constexpr char kWordEnd = '\0';

struct Substring {
  std::uint64_t score;
  std::uint32_t begin, bytes;
};

std::string join(std::span<const WordCount> words) {
  std::size_t bytes = 0;
  for (const WordCount& word : words) bytes += word.word.size() + 1;
  if (bytes > static_cast<std::size_t>(std::numeric_limits<saidx_t>::max()))
    throw Error(Code::kUnsupported, "distinct words of " + std::to_string(bytes) + " bytes together, expected less than 2 GiB");
  std::string text;
  text.reserve(bytes);
  for (const WordCount& word : words)
    if (!word.word.empty()) (text += word.word) += kWordEnd;
  return text;
}

// The suffixes that begin with a character, in ascending order.
std::vector<saidx_t> sort_suffixes(const std::string& text) {
  std::vector<saidx_t> suffixes(text.size());
  if (text.empty()) return suffixes;
  if (divsufsort(reinterpret_cast<const sauchar_t*>(text.data()), suffixes.data(), static_cast<saidx_t>(text.size())) != 0)
    throw Error(Code::kOutOfMemory, "no memory to sort " + std::to_string(text.size()) + " suffixes");
  std::erase_if(suffixes, [&](saidx_t at) { return !begins_character(text[static_cast<std::size_t>(at)]); });
  return suffixes;
}

// By place in the text: the bytes, in whole characters, that the suffix there shares with the one before it in the order. What a suffix shares,
// the next one shares all but its first character; so the comparisons are linear together.
std::vector<std::uint32_t> shared_prefixes(const std::string& text, const std::vector<saidx_t>& suffixes) {
  constexpr std::uint32_t kFirst = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> shared(text.size(), kFirst);  // first the place of the suffix before
  for (std::size_t i = 1; i < suffixes.size(); ++i) shared[static_cast<std::size_t>(suffixes[i])] = static_cast<std::uint32_t>(suffixes[i - 1]);
  std::size_t length = 0;
  // From one suffix of the order to the next by what made it one, so that text that is not UTF-8 leads nowhere else.
  const auto next_suffix = [&](std::size_t at) {
    while (at < text.size() && !begins_character(text[at])) ++at;
    return at;
  };
  for (std::size_t at = next_suffix(0), next = at; at < text.size(); at = next) {
    next = next_suffix(at + 1);
    const std::uint32_t before = shared[at];
    if (before == kFirst) {
      length = 0;
    } else {
      while (at + length < text.size() && before + length < text.size() && text[at + length] == text[before + length]) ++length;
      while (length > 0 && at + length < text.size() && !begins_character(text[at + length])) --length;
    }
    shared[at] = static_cast<std::uint32_t>(length);
    length -= std::min(length, next - at);
  }
  return shared;
}

// Calls `visit(place, bytes, frequency)` for each inner node of the suffix tree but the root, deeper ones first.
template <class Visit>
void for_each_repeat(const std::string& text, Visit&& visit) {
  const std::vector<saidx_t> suffixes = sort_suffixes(text);
  const std::vector<std::uint32_t> shared = shared_prefixes(text, suffixes);
  struct Open {
    std::size_t first;
    std::uint32_t bytes;
  };
  std::vector<Open> open = {{0, 0}};
  for (std::size_t i = 1; i <= suffixes.size(); ++i) {
    const std::uint32_t bytes = i < suffixes.size() ? shared[static_cast<std::size_t>(suffixes[i])] : 0;
    std::size_t first = i - 1;
    while (open.back().bytes > bytes) {
      first = open.back().first;
      visit(static_cast<std::uint32_t>(suffixes[first]), open.back().bytes, i - first);
      open.pop_back();
    }
    if (open.back().bytes < bytes) open.push_back({first, bytes});
  }
}

std::vector<Substring> find_substrings(const std::string& text, std::size_t max_piece_length) {
  std::vector<Substring> found;
  for_each_repeat(text, [&](std::uint32_t begin, std::uint32_t bytes, std::uint64_t frequency) {
    if (bytes / 4 > max_piece_length) return;
    const std::string_view substring(text.data() + begin, bytes);
    const auto characters = static_cast<std::size_t>(std::count_if(substring.begin(), substring.end(), begins_character));
    if (characters < 2 || characters > max_piece_length || substring.find(kWordEnd) != std::string_view::npos) return;
    found.push_back({frequency * characters, begin, bytes});
  });
  const auto view = [&](const Substring& s) { return std::string_view(text).substr(s.begin, s.bytes); };
  std::sort(found.begin(), found.end(), [&](const Substring& a, const Substring& b) { return a.score != b.score ? a.score > b.score : view(a) > view(b); });
  return found;
}

std::vector<ScoredPiece> count_characters(std::span<const WordCount> words) {
  std::map<std::string_view, std::uint64_t> counts;
  for (const auto& [word, count] : words) {
    for (std::size_t i = 0; i < word.size();) {
      const std::size_t bytes = utf8_bytes(word, i);
      if (word[i] != kWordEnd) counts[std::string_view(word).substr(i, bytes)] += count;
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

std::vector<ScoredPiece> make_seed_pieces(std::span<const WordCount> words, std::size_t max_piece_length, std::size_t seed_size) {
  std::vector<ScoredPiece> pieces = count_characters(words);
  const std::string text = join(words);
  for (const Substring& substring : find_substrings(text, max_piece_length)) {
    pieces.push_back({text.substr(substring.begin, substring.bytes), static_cast<double>(substring.score)});
    if (pieces.size() >= seed_size) break;
  }
  double sum = 0;
  for (const ScoredPiece& piece : pieces) sum += piece.score;
  for (ScoredPiece& piece : pieces) piece.score = std::log(piece.score) - std::log(sum);
  return pieces;
}

}  // namespace flowrun::tokenizers
