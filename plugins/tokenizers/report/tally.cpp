#include "tally.hpp"

#include <algorithm>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

[[noreturn]] void refuse_saved(const std::string& what) { throw Error(Code::kCorruptData, "the saved state is not that of this report: " + what); }

/// Reads whole numbers, as many as `into`.
void read_numbers(const Json& saved, std::vector<std::uint64_t*> into) {
  if (!saved.is_array() || saved.size() != into.size()) refuse_saved("found " + shown(saved) + ", expected " + std::to_string(into.size()) + " numbers");
  for (std::size_t i = 0; i < into.size(); ++i) {
    if (!saved[i].is_number_unsigned()) refuse_saved("found " + shown(saved[i]) + ", expected a whole number");
    *into[i] = saved[i].get<std::uint64_t>();
  }
}

const Json& member(const Json& saved, const char* key, Json::value_t type) {
  if (!saved.is_object() || !saved.contains(key) || saved.at(key).type() != type) refuse_saved(std::string("'") + key + "' is missing or of another type");
  return saved.at(key);
}

}  // namespace

TextCounts& TextCounts::operator+=(const TextCounts& other) {
  documents += other.documents;
  bytes += other.bytes;
  characters += other.characters;
  words += other.words;
  return *this;
}

TokenCounts& TokenCounts::operator+=(const TokenCounts& other) {
  tokens += other.tokens;
  continued_words += other.continued_words;
  single_byte += other.single_byte;
  partial_characters += other.partial_characters;
  unknown += other.unknown;
  for (const auto& [length, documents] : other.documents_by_tokens) documents_by_tokens[length] += documents;
  return *this;
}

void DocumentWords::read(std::string_view text) {
  bytes.clear();
  characters.clear();
  std::uint32_t character = 0;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++character) {
    const auto begin = static_cast<std::uint32_t>(at);
    const bool space = is_white_space(next_code_point(text, at));
    if (!space && !in_word) {
      bytes.push_back({begin, begin});
      characters.push_back({character, character});
    }
    in_word = !space;
    if (in_word) {
      bytes.back().end = static_cast<std::uint32_t>(at);
      characters.back().end = character + 1;
    }
  }
  character_count = character;
}

std::uint64_t count_continued_words(std::span<const Range> words, std::span<const Range> tokens, std::vector<std::uint8_t>& pieces) {
  pieces.assign(words.size(), 0);
  std::size_t first = 0;  // the first word that ends behind the token's beginning
  for (const Range& token : tokens) {
    if (token.begin == token.end) continue;
    while (first > 0 && words[first - 1].end > token.begin) --first;  // normalizers may give ranges that go back
    while (first < words.size() && words[first].end <= token.begin) ++first;
    for (std::size_t i = first; i < words.size() && words[i].begin < token.end; ++i) pieces[i] = static_cast<std::uint8_t>(std::min(pieces[i] + 1, 2));
  }
  return static_cast<std::uint64_t>(std::count(pieces.begin(), pieces.end(), 2));
}

void TokenizerTally::add(const std::string& domain, const DocumentWords& words, const MeasuredTokens& tokens) {
  TokenCounts& counts = domains_[domain];
  for (const std::uint32_t id : tokens.ids) {
    ++counts_[id];
    counts.single_byte += vocabulary_->tokens[id].single_byte ? 1 : 0;
    counts.partial_characters += vocabulary_->tokens[id].partial_character ? 1 : 0;
    counts.unknown += id == vocabulary_->unknown_id ? 1 : 0;
  }
  counts.tokens += tokens.ids.size();
  counts.continued_words += count_continued_words(tokens.in_bytes ? words.bytes : words.characters, tokens.ranges, pieces_);
  ++counts.documents_by_tokens[tokens.ids.size()];
}

Json TokenizerTally::to_json() const {
  Json domains = Json::object();
  for (const auto& [domain, counts] : domains_) {
    Json lengths = Json::array();
    for (const auto& [length, documents] : counts.documents_by_tokens) lengths.push_back({length, documents});
    domains[domain] = {{"counts", {counts.tokens, counts.continued_words, counts.single_byte, counts.partial_characters, counts.unknown}},
                       {"lengths", std::move(lengths)}};
  }
  return {{"ids", counts_}, {"domains", std::move(domains)}};
}

void TokenizerTally::restore(const Json& saved) {
  TokenizerTally restored(*vocabulary_);
  std::vector<std::uint64_t*> ids;
  for (std::uint64_t& count : restored.counts_) ids.push_back(&count);
  read_numbers(member(saved, "ids", Json::value_t::array), ids);
  for (const auto& [domain, value] : member(saved, "domains", Json::value_t::object).items()) {
    TokenCounts& counts = restored.domains_[domain];
    read_numbers(member(value, "counts", Json::value_t::array),
                 {&counts.tokens, &counts.continued_words, &counts.single_byte, &counts.partial_characters, &counts.unknown});
    for (const Json& entry : member(value, "lengths", Json::value_t::array)) {
      std::uint64_t length = 0, documents = 0;
      read_numbers(entry, {&length, &documents});
      counts.documents_by_tokens[length] = documents;
    }
  }
  *this = std::move(restored);
}

Json to_json(const std::map<std::string, TextCounts>& domains) {
  Json out = Json::object();
  for (const auto& [domain, counts] : domains) out[domain] = {counts.documents, counts.bytes, counts.characters, counts.words};
  return out;
}

std::map<std::string, TextCounts> text_counts_of(const Json& saved) {
  if (!saved.is_object()) refuse_saved("found " + shown(saved) + ", expected domains");
  std::map<std::string, TextCounts> domains;
  for (const auto& [domain, value] : saved.items()) {
    TextCounts& counts = domains[domain];
    read_numbers(value, {&counts.documents, &counts.bytes, &counts.characters, &counts.words});
  }
  return domains;
}

}  // namespace flowrun::tokenizers
