#pragma once

// The classes of the characters in 64 bytes of text, a bit for each byte: where pre-tokens begin follows from shifts and sums of such masks, for all of them at
// once and without a branch on any character. A branch for each character or word is what a scanner loses most of its time with.

#include <cstddef>
#include <cstdint>

#include "character_classes.hpp"

namespace flowrun::tokenizers::scanning {

inline constexpr std::size_t kWindowBytes = 64;

/// Bit i tells of byte i of a window. All bytes of a character have its class.
struct ClassWindow {
  std::uint64_t letters = 0, numbers = 0, breaks = 0, spaces = 0, others = 0;
  std::uint64_t blanks = 0;       ///< U+0020, which are `spaces` too
  std::uint64_t apostrophes = 0;  ///< which are `others` too
  std::uint64_t tails = 0;        ///< of `others`: bytes behind the first of their character
  /// The bytes that the masks tell of, from the first on: they end before a character that the window cuts, and before characters too rare for masks to know: numbers
  /// and white space beyond ASCII, and an apostrophe before a character beyond ASCII, which could be a LONG S.
  std::uint64_t known = 0;
};

/// Returns the classes of the kWindowBytes bytes from `p` on, which must lie before `end`. The first must be the first of a character.
ClassWindow read_window(Byte p, Byte end) noexcept;

/// The ASCII characters of a window; the bits of all other bytes are in `beyond`.
struct AsciiWindow {
  std::uint64_t letters = 0, numbers = 0, breaks = 0, spaces = 0, blanks = 0, apostrophes = 0, beyond = 0;
  bool operator==(const AsciiWindow&) const = default;
};

/// Returns the ASCII part of a window, sixteen bytes at a time where the processor is known to be able to.
AsciiWindow read_ascii(Byte p) noexcept;
/// Does the same by the table of classes: the reference of `read_ascii`, and what it is on other processors.
AsciiWindow read_ascii_by_table(Byte p) noexcept;

}  // namespace flowrun::tokenizers::scanning
