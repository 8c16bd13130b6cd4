#include "normalization.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

#include "normalization_tables.hpp"
#include "utf8.hpp"

namespace flowrun::tokenizers {
namespace {

// Hangul syllables by arithmetic: The Unicode Standard 9.0, chapter 3.12.
constexpr char32_t kSyllableBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

bool is_syllable(char32_t c) noexcept { return c - kSyllableBase < kSyllableCount; }

void append_syllable(char32_t syllable, std::vector<MappedChar>& out) {
  const char32_t index = syllable - kSyllableBase;
  out.push_back({kLeadBase + index / (kVowelCount * kTailCount), 0});
  out.push_back({kVowelBase + index / kTailCount % kVowelCount, 1});
  if (index % kTailCount != 0) out.push_back({kTailBase + index % kTailCount, 1});
}

std::optional<char32_t> compose_syllable(char32_t first, char32_t second) noexcept {
  if (first - kLeadBase < kLeadCount && second - kVowelBase < kVowelCount) {
    return kSyllableBase + ((first - kLeadBase) * kVowelCount + (second - kVowelBase)) * kTailCount;
  }
  // The tail's base stands for no tail, so it is not part of one.
  const bool takes_tail = is_syllable(first) && (first - kSyllableBase) % kTailCount == 0;
  if (takes_tail && second > kTailBase && second < kTailBase + kTailCount) return first + (second - kTailBase);
  return std::nullopt;
}

// Below these nothing decomposes, and nothing has a combining class or composes with what stands before it; most text needs no tables then.
constexpr char32_t kFirstDecomposing = 0xA0, kFirstMark = 0x300;

std::optional<char32_t> compose(char32_t first, char32_t second) noexcept {
  if (second < kFirstMark) return std::nullopt;
  const std::size_t group = detail::normalization_record(second).group;
  if (group == 0) return compose_syllable(first, second);
  const auto* const begin = detail::kCompositions + detail::kCompositionGroups[group];
  const auto* const end = detail::kCompositions + detail::kCompositionGroups[group + 1];
  const auto* const found = std::lower_bound(begin, end, first, [](const detail::Composition& c, char32_t value) { return c.first < value; });
  if (found != end && found->first == first) return found->composed;
  return std::nullopt;
}

std::uint8_t combining_class(char32_t c) noexcept { return c < kFirstMark ? 0 : detail::normalization_record(c).combining_class; }

// Appends the full decomposition of `c`: its first code point replaces it, the others are inserted.
void append_decomposition(char32_t c, bool compatible, std::vector<MappedChar>& out) {
  if (c < kFirstDecomposing) return out.push_back({c, 0});
  if (is_syllable(c)) return append_syllable(c, out);
  const std::size_t offset = detail::decomposition_offset(c);
  const char32_t counts = detail::kDecompositions[offset];
  const std::size_t canonical_count = counts & 0xFF, compatible_count = counts >> 8;
  const bool other = compatible && compatible_count != 0;
  const std::size_t count = other ? compatible_count : canonical_count;
  if (offset == 0 || count == 0) return out.push_back({c, 0});
  const char32_t* const parts = detail::kDecompositions + offset + 1 + (other ? canonical_count : 0);
  for (std::size_t i = 0; i < count; ++i) out.push_back({parts[i], i == 0 ? 0 : 1});
}

// Orders each run of marks by combining class, marks of one class as they stood.
void reorder_marks(std::vector<MappedChar>& chars) {
  const auto by_class = [](const MappedChar& a, const MappedChar& b) { return combining_class(a.code_point) < combining_class(b.code_point); };
  const auto is_mark = [](const MappedChar& c) { return combining_class(c.code_point) != 0; };
  for (auto begin = chars.begin(); begin != chars.end();) {
    begin = std::find_if(begin, chars.end(), is_mark);
    const auto end = std::find_if_not(begin, chars.end(), is_mark);
    if (!std::is_sorted(begin, end, by_class)) std::stable_sort(begin, end, by_class);
    begin = end;
  }
}

// Joins each starter with the code points behind it, unless another starter or a mark of the same or a higher class remains in between. What
// comes of two stands for all that both stood for: the changes add up, and there is one code point fewer.
void compose_in_place(std::vector<MappedChar>& chars) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t kept = 0, starter = kNone;
  int last_class = -1;  // of the last mark that remains behind the starter, -1 if there is none
  for (std::size_t i = 0; i < chars.size(); ++i) {
    const MappedChar c = chars[i];
    const int mark_class = combining_class(c.code_point);
    if (starter != kNone && last_class < mark_class) {
      if (const auto composed = compose(chars[starter].code_point, c.code_point)) {
        chars[starter] = {*composed, chars[starter].change + c.change - 1};
        continue;
      }
    }
    if (mark_class == 0) {
      starter = kept;
      last_class = -1;
    } else if (starter != kNone) {
      last_class = mark_class;
    }
    chars[kept++] = c;
  }
  chars.resize(kept);
}

// Returns where the first byte from `begin` on that is not ASCII lies, or less than eight bytes before it.
std::size_t skip_ascii(std::string_view text, std::size_t begin) noexcept {
  std::uint64_t word = 0;
  for (; text.size() - begin >= sizeof word; begin += sizeof word) {
    std::memcpy(&word, text.data() + begin, sizeof word);
    if ((word & 0x8080808080808080) != 0) break;
  }
  return begin;
}

}  // namespace

std::vector<MappedChar> normalize(std::string_view text, NormalForm form) {
  const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  std::vector<MappedChar> chars;
  chars.reserve(count_code_points(text));
  for (std::size_t begin = 0; begin < text.size();) {
    const Utf8Character c = decode_utf8(text, begin);
    append_decomposition(c.code_point, compatible, chars);
    begin += c.bytes;
  }
  reorder_marks(chars);
  if (form == NormalForm::kNfc || form == NormalForm::kNfkc) compose_in_place(chars);
  return chars;
}

// UAX #15, section 9, with "maybe" taken for "no".
bool is_normalized_quick(std::string_view text, NormalForm form) noexcept {
  std::uint8_t last_class = 0;
  for (std::size_t begin = skip_ascii(text, 0); begin < text.size();) {
    const Utf8Character c = decode_utf8(text, begin);
    const detail::NormalizationRecord& record = detail::normalization_record(c.code_point);
    const bool out_of_order = record.combining_class != 0 && record.combining_class < last_class;
    const bool malformed = c.code_point == 0xFFFD && c.bytes == 1;
    if (out_of_order || malformed || (record.may_change >> static_cast<int>(form) & 1) != 0) return false;
    last_class = record.combining_class;
    begin += c.bytes;
    // Worth a look only where ASCII begins: in other scripts it would find nothing.
    if (c.code_point < 0x80) begin = skip_ascii(text, begin);
  }
  return true;
}

}  // namespace flowrun::tokenizers
