#include "alphabet.hpp"

#include <algorithm>
#include <limits>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint64_t kCertain = std::numeric_limits<std::uint64_t>::max();  // the count of a character of the initial alphabet

std::uint32_t number_of(CharacterUses::Place place) noexcept {
  return static_cast<std::uint32_t>(place.character) << 2 | static_cast<std::uint32_t>(place.first) << 1 | static_cast<std::uint32_t>(place.last);
}

// Calls f(place) for every character of a word; returns how many there are. Throws kCorruptData for what is not UTF-8.
template <class F>
std::size_t for_each_character(std::string_view word, F&& f) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < word.size(); ++characters) {
    const Utf8Character c = decode_utf8(word, at);
    if (c.code_point == 0xFFFD && c.bytes == 1) throw Error(Code::kCorruptData, "a word is not UTF-8 at byte " + std::to_string(at));
    const bool first = at == 0;
    at += c.bytes;
    f(CharacterUses::Place{c.code_point, first, at == word.size()});
  }
  return characters;
}

std::string to_utf8(char32_t c) {
  std::string text;
  append_utf8(c, text);
  return text;
}

}  // namespace

std::uint32_t TokenList::id_of(const std::string& token) {
  const auto [at, fresh] = ids_.try_emplace(token, static_cast<std::uint32_t>(tokens_.size()));
  if (fresh) tokens_.push_back(token);
  return at->second;
}

// ------------------------------------------------------------------------------------------------------------- characters

CharacterUses::CharacterUses(WordCounter& words) {
  std::uint64_t room = std::numeric_limits<std::int64_t>::max();  // so that no sum of counts overflows
  words.for_each([&](std::string_view word, std::uint64_t times) {
    const std::size_t characters = for_each_character(word, [&](Place place) {
      counts_.add(place.character, times);
      meet(place);
    });
    if (characters > 0 && times > room / characters) throw Error(Code::kUnsupported, "the words have 2^63 characters or more, repetitions counted");
    room -= times * characters;
  });
}

void CharacterUses::meet(Place place) {
  const auto fresh = static_cast<std::uint32_t>(places_.size());
  if (place_index_.insert(number_of(place), fresh) == fresh) places_.push_back(place);
}

std::vector<char32_t> CharacterUses::alphabet(const WordPieceTrainerOptions& options) const {
  CharacterCounts all = counts_;
  for (const char32_t c : options.initial_alphabet) {
    if (!is_scalar_value(c))
      throw Error(Code::kInvalidArgument, "the initial alphabet has " + std::to_string(static_cast<std::uint32_t>(c)) + ", which is no character");
    all.at(c).count = kCertain;
  }
  std::vector<CharacterCount> counts = all.counts();
  if (const std::size_t limit = options.limit_alphabet.value_or(counts.size()); limit < counts.size()) {
    std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.character < b.character; });
    counts.resize(limit);
  }
  std::vector<char32_t> alphabet;
  for (const CharacterCount& entry : counts) alphabet.push_back(entry.character);
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

// ------------------------------------------------------------------------------------------------------------- vocabulary

WordPieceVocabulary::WordPieceVocabulary(const CharacterUses& uses, const WordPieceTrainerOptions& options) : prefix_(options.continuing_subword_prefix) {
  for (const std::string& special : options.specials) tokens_.id_of(special);
  for (const char32_t c : uses.alphabet(options)) tokens_.id_of(to_utf8(c));
  std::vector<std::pair<CharacterUses::Place, std::string>> pieces;
  for (const CharacterUses::Place place : uses.places()) {
    const std::string plain = to_utf8(place.character);
    // A special token of one character lets that character in, whatever the alphabet.
    if (tokens_.contains(plain)) pieces.emplace_back(place, (place.first ? "" : prefix_) + plain + (place.last ? options.end_of_word_suffix : ""));
  }
  // Only now, for a piece may be spelled as a character that is no token.
  for (const auto& [place, piece] : pieces) ids_.insert(number_of(place), tokens_.id_of(piece));
}

void WordPieceVocabulary::spell(std::string_view word, std::vector<std::uint32_t>& symbols) const {
  for_each_character(word, [&](CharacterUses::Place place) {
    if (const std::uint32_t id = ids_.find(number_of(place)); id != bpe::FlatMap<std::uint32_t>::kAbsent) symbols.push_back(id);
  });
}

std::uint32_t WordPieceVocabulary::merge(std::uint32_t left, std::uint32_t right) {
  std::string_view rest = tokens_[right];
  if (rest.starts_with(prefix_)) rest.remove_prefix(prefix_.size());
  return tokens_.id_of(tokens_[left] + std::string(rest));
}

}  // namespace flowrun::tokenizers
