#include "precompiled_normalizer.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <flowrun/error.hpp>

#include "base64.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

// Source of the format of a unit: darts-clone, github.com/s-yata/darts-clone (DoubleArrayUnit).
constexpr std::uint32_t kLabelMask = 0x800000FF;  // the highest bit marks a value, so that it is no byte's child
constexpr std::uint32_t kValueMask = 0x7FFFFFFF;
constexpr std::size_t kBlock = 256;
constexpr std::size_t kGraphemeBytesMax = 5;  // longer clusters are taken character by character

bool has_value(std::uint32_t unit) noexcept { return (unit >> 8 & 1) != 0; }
std::size_t offset_of(std::uint32_t unit) noexcept { return std::size_t{unit >> 10} << ((unit & 1u << 9) >> 6); }

[[noreturn]] void corrupt(const std::string& message) { throw Error(Code::kCorruptData, "precompiled_charsmap: " + message); }

std::uint32_t little_endian_32(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Marks that Unicode 15.1 to 17.0 added: Grapheme_Cluster_Break=Extend or SpacingMark, which act alike here (never a boundary before them).
// utf8proc 2.8 has Unicode 15.0, tokenizers 0.23.3 has 17.0; found by asking both about all 1,112,064 scalar values (make_goldens.py, `marks`).
struct MarkRange {
  char32_t first, last;
};
constexpr MarkRange kNewMarks[] = {
    {0x0897, 0x0897},   {0x1ACF, 0x1ADD},   {0x1AE0, 0x1AEB},   {0x10D69, 0x10D6D}, {0x10EFA, 0x10EFC}, {0x113B8, 0x113C0}, {0x113C2, 0x113C2},
    {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D0}, {0x113D2, 0x113D2}, {0x113E1, 0x113E2}, {0x11B60, 0x11B67}, {0x11F5A, 0x11F5A},
    {0x1611E, 0x1612F}, {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF}, {0x1E6F5, 0x1E6F5},
};
constexpr char32_t kOldMark = 0x0301;

// Returns the character, or for a new mark one that utf8proc knows.
utf8proc_int32_t known_to_utf8proc(std::string_view character) noexcept {
  const char32_t c = decode_utf8(character, 0).code_point;
  const auto holds = [c](MarkRange range) { return c >= range.first && c <= range.last; };
  const bool is_new = c >= kNewMarks[0].first && std::any_of(std::begin(kNewMarks), std::end(kNewMarks), holds);
  return static_cast<utf8proc_int32_t>(is_new ? kOldMark : c);
}

bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

// Returns the end of the grapheme cluster that begins at `begin`.
std::size_t grapheme_end(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin + utf8_bytes(text, begin);
  utf8proc_int32_t state = 0;
  for (std::string_view last = text.substr(begin, end - begin); end < text.size();) {
    // The only cluster of two ASCII characters is CR LF.
    if (is_ascii(last.back()) && is_ascii(text[end]) && !(last == "\r" && text[end] == '\n')) break;
    const std::string_view next = text.substr(end, utf8_bytes(text, end));
    if (utf8proc_grapheme_break_stateful(known_to_utf8proc(last), known_to_utf8proc(next), &state)) break;
    end += next.size();
    last = next;
  }
  return end;
}

std::int64_t count_characters(std::string_view text) noexcept {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void append_characters(std::string_view text, std::vector<NormalizedCharacter>& out) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = utf8_bytes(text, i);
    out.push_back({decode_utf8(text.substr(i, bytes), 0).code_point, 0});
    i += bytes;
  }
}

void append_replacement(std::string_view from, std::string_view to, std::size_t first, std::vector<NormalizedCharacter>& out) {
  append_characters(to, out);
  const std::int64_t added = count_characters(to) - count_characters(from);
  for (std::int64_t i = 1; i <= added; ++i) out[out.size() - static_cast<std::size_t>(i)].change = 1;
  if (added < 0 && out.size() > first) out.back().change += added;
}

}  // namespace

PrecompiledNormalizer::PrecompiledNormalizer(std::string_view charsmap) : charsmap_(charsmap) {
  if (charsmap.size() < 4) corrupt(std::to_string(charsmap.size()) + " bytes, expected at least 4");
  const std::size_t trie_bytes = little_endian_32(charsmap, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0) corrupt("a trie of " + std::to_string(trie_bytes) + " bytes, expected a multiple of 4 above 0");
  if (trie_bytes > charsmap.size() - 4)
    corrupt("a trie of " + std::to_string(trie_bytes) + " bytes, and only " + std::to_string(charsmap.size() - 4) + " follow");
  units_.resize((trie_bytes / 4 + kBlock - 1) / kBlock * kBlock);
  for (std::size_t i = 0; i < trie_bytes / 4; ++i) units_[i] = little_endian_32(charsmap, 4 + 4 * i);
  replacements_ = charsmap.substr(4 + trie_bytes);
  if (const std::size_t error = find_malformed_utf8(replacements_); error != std::string::npos)
    corrupt("the replacements are not UTF-8 at offset " + std::to_string(4 + trie_bytes + error));
  check_trie();
}

PrecompiledNormalizer PrecompiledNormalizer::from_base64(std::string_view text) {
  try {
    return PrecompiledNormalizer(decode_base64(text));
  } catch (Error& error) {
    error.add_context("in 'precompiled_charsmap'");
    throw;
  }
}

// Visits every place that a text can lead to, once: darts-clone shares equal ends of keys, so there may be several ways to it.
void PrecompiledNormalizer::check_trie() {
  std::vector<bool> seen(units_.size());
  std::vector<std::size_t> open;
  const auto enter = [&](std::size_t place) {
    const std::uint32_t unit = units_[place];
    const std::size_t base = place ^ offset_of(unit);
    if (base >= units_.size()) corrupt("unit " + std::to_string(place) + " leads to " + std::to_string(base) + " of " + std::to_string(units_.size()));
    if (has_value(unit)) check_value(units_[base] & kValueMask);
    if (!seen[base]) open.push_back(base);
    seen[base] = true;
  };
  enter(0);
  while (!open.empty()) {
    const std::size_t base = open.back();
    open.pop_back();
    for (std::size_t byte = 1; byte < kBlock; ++byte)
      if ((units_[base ^ byte] & kLabelMask) == byte) enter(base ^ byte);
  }
}

void PrecompiledNormalizer::check_value(std::size_t value) const {
  if (value == replacements_.size()) return;
  if (value > replacements_.size()) corrupt("a value is " + std::to_string(value) + ", expected at most " + std::to_string(replacements_.size()));
  if ((static_cast<unsigned char>(replacements_[value]) & 0xC0) == 0x80) corrupt("a value is " + std::to_string(value) + ", within a character");
}

std::string_view PrecompiledNormalizer::replacement_at(std::size_t offset) const noexcept {
  const std::string_view rest = std::string_view(replacements_).substr(offset);
  return rest.substr(0, rest.find('\0'));
}

// The shortest prefix of `chunk` in the map decides, whatever comes behind it.
std::optional<std::string_view> PrecompiledNormalizer::replacement(std::string_view chunk) const noexcept {
  std::size_t place = offset_of(units_[0]);  // checked, as every place below
  for (const char c : chunk) {
    const std::size_t byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    place ^= byte;
    const std::uint32_t unit = units_[place];
    if ((unit & kLabelMask) != byte) return std::nullopt;
    place ^= offset_of(unit);
    if (has_value(unit)) return replacement_at(units_[place] & kValueMask);
  }
  return std::nullopt;
}

bool PrecompiledNormalizer::normalize(std::string_view text, std::vector<NormalizedCharacter>& out) const {
  const std::size_t first = out.size();
  bool modified = false;
  const auto replace = [&](std::string_view part) {
    const auto to = replacement(part);
    if (to) append_replacement(part, *to, first, out);
    modified |= to.has_value();
    return to.has_value();
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = grapheme_end(text, begin);
    const std::string_view grapheme = text.substr(begin, end - begin);
    begin = end;
    if (grapheme.size() <= kGraphemeBytesMax && replace(grapheme)) continue;
    for (std::size_t i = 0; i < grapheme.size();) {
      const std::string_view character = grapheme.substr(i, utf8_bytes(grapheme, i));
      if (!replace(character)) out.push_back({decode_utf8(character, 0).code_point, 0});
      i += character.size();
    }
  }
  return modified;
}

std::string PrecompiledNormalizer::normalize(std::string_view text) const {
  std::vector<NormalizedCharacter> characters;
  normalize(text, characters);
  std::string normalized;
  for (const NormalizedCharacter& c : characters) append_utf8(c.character, normalized);
  return normalized;
}

}  // namespace flowrun::tokenizers
