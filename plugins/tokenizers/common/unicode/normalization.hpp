#pragma once

// Unicode normalization (UAX #15) as Hugging Face tokenizers does it, with what it needs to keep offsets: how each code point that comes out
// relates to those that went in.
//
// It is our own rather than utf8proc's or ICU's for two reasons: the library normalizes by Unicode 9.0, where later characters stay as they
// are, and neither of the two says how offsets move. Checked against tokenizers 0.23.3: every code point, and texts of combining marks,
// Hangul, Indic, Arabic and emoji with their offsets (testdata). Source: The Unicode Standard 9.0, chapter 3.11 (D108, D117) and 3.12.

#include <cstdint>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

enum class NormalForm : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd };

/// Holds a code point of normalized text. `change` is 0 if it replaces the next code point of the text, 1 if it was inserted, and -N if it
/// replaces the next one and N more after it are gone. The order of marks may have changed: then the numbers went along with them, as they do
/// in the library, and the count is right only over the whole run of marks.
struct MappedChar {
  char32_t code_point;
  std::int32_t change;

  bool operator==(const MappedChar&) const = default;
};

/// Returns `text` in `form`. Bytes that are not UTF-8 become U+FFFD, one for one, and count as one code point each. Time linear in the text,
/// n log n in a run of marks; memory 8 bytes a code point. Any thread.
std::vector<MappedChar> normalize(std::string_view text, NormalForm form);

/// Says whether `text` is certainly in `form` already, so that `normalize` would give it back with every `change` 0. False is no proof of the
/// contrary; text that is not UTF-8 is never. Costs a table look-up a code point, and takes ASCII eight bytes at a time. Any thread.
bool is_normalized_quick(std::string_view text, NormalForm form) noexcept;

}  // namespace flowrun::tokenizers
