#include "alphabet.hpp"

#include <algorithm>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint64_t kCertain = std::numeric_limits<std::uint64_t>::max();  // the count of a character of the initial alphabet

// Where a piece is met first when words are read in their byte order.
struct FirstUse {
  std::string_view word;
  std::size_t at;
  std::string spelling;
  bool operator<(const FirstUse& other) const noexcept { return word != other.word ? word < other.word : at < other.at; }
};

}  // namespace

char32_t next_char(std::string_view text, std::size_t& at) {
  const Utf8Character c = decode_utf8(text, at);
  if (c.code_point == 0xFFFD && c.bytes == 1) throw Error(Code::kCorruptData, "a word is not UTF-8 at byte " + std::to_string(at));
  at += c.bytes;
  return c.code_point;
}

std::string to_utf8(char32_t c) {
  if (!is_scalar_value(c))
    throw Error(Code::kInvalidArgument, "the initial alphabet has " + std::to_string(static_cast<std::uint32_t>(c)) + ", which is no character");
  std::string text;
  append_utf8(c, text);
  return text;
}

std::vector<char32_t> make_alphabet(const WordList& words, const WordPieceTrainerOptions& options) {
  bpe::FlatMap<std::uint32_t> index;
  std::vector<std::pair<std::uint64_t, char32_t>> counts;
  const auto count_of = [&](char32_t c) -> std::uint64_t& {
    const auto fresh = static_cast<std::uint32_t>(counts.size());
    const std::uint32_t found = index.insert(static_cast<std::uint32_t>(c), fresh);
    if (found == fresh) counts.emplace_back(0, c);
    return counts[found].first;
  };
  for (const WordCount word : words)
    for (std::size_t at = 0; at < word.word.size();) count_of(next_char(word.word, at)) += word.count;
  for (const char32_t c : options.initial_alphabet) count_of(c) = kCertain;
  if (const std::size_t limit = options.limit_alphabet.value_or(counts.size()); limit < counts.size()) {
    std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    counts.resize(limit);
  }
  std::vector<char32_t> alphabet;
  for (const auto& [count, c] : counts) alphabet.push_back(c);
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

std::uint32_t TokenList::id_of(const std::string& token) {
  const auto [at, fresh] = ids_.try_emplace(token, static_cast<std::uint32_t>(tokens_.size()));
  if (fresh) tokens_.push_back(token);
  return at->second;
}

InitialPieces::InitialPieces(const WordList& words, const WordPieceTrainerOptions& options, TokenList& tokens) {
  std::vector<FirstUse> uses;
  for (const WordCount word : words)
    for (std::size_t at = 0; at < word.word.size();) {
      const std::size_t begin = at;
      const char32_t c = next_char(word.word, at);
      const bool first = begin == 0, last = at == word.word.size();
      const auto fresh = static_cast<std::uint32_t>(uses.size());
      const std::uint32_t found = places_.insert(place(c, first, last), fresh);
      FirstUse use{word.word, begin, {}};
      if (found == fresh) {
        const std::string plain(word.word.substr(begin, at - begin));
        // A special token of one character lets that character in, whatever the alphabet.
        if (tokens.contains(plain)) use.spelling = (first ? "" : options.continuing_subword_prefix) + plain + (last ? options.end_of_word_suffix : "");
        uses.push_back(std::move(use));
      } else if (use < uses[found]) {
        use.spelling = std::move(uses[found].spelling);
        uses[found] = std::move(use);
      }
    }
  std::vector<std::uint32_t> order(uses.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return uses[a] < uses[b]; });
  ids_.assign(uses.size(), kDropped);
  for (const std::uint32_t i : order)
    if (!uses[i].spelling.empty()) ids_[i] = tokens.id_of(uses[i].spelling);
}

}  // namespace flowrun::tokenizers
