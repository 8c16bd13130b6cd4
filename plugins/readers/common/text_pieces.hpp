#pragma once

// Cuts text into pieces at its blank lines (lines of nothing but spaces, tabs and carriage returns).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "readers/common/window.hpp"

namespace flowrun::readers {

/// How a text is cut. A piece ends at the first blank line at or after `min_bytes`. One that would grow over `max_bytes` ends at its last
/// line end, or where it has none, at its last character.
struct PieceLimits {
  std::size_t min_bytes = std::numeric_limits<std::size_t>::max();
  std::size_t max_bytes = 1 << 30;
  bool skip_blank_lines = true;  ///< before a piece; and the newline that ends it is not part of it
};

/// A piece of text. `text` is valid until the next call.
struct Piece {
  std::string_view text;
  bool forced = false;  ///< it ends because of `max_bytes` and not where the text allows it
};

/// Cuts the text of one file, in memory bounded by `max_bytes`.
class TextPieces {
 public:
  TextPieces(Window& window, PieceLimits limits) : window_(&window), limits_(limits) {}
  /// Gives the next piece; false at the end. Empty text gives no piece; a piece cut short by damage is not given.
  bool next(const Call& call, Piece& piece);
  /// Returns where the current piece begins, as an offset in the file as stored; -1 where it is compressed.
  std::int64_t stored_offset() const noexcept { return window_->stored_offset(); }

 private:
  void skip_blank_lines(const Call& call);
  bool may_end_at(const Call& call, std::size_t line);
  std::size_t piece_size(const Call& call, bool* forced);

  Window* window_;
  PieceLimits limits_;
  std::size_t taken_ = 0;  ///< bytes of the piece given last
};

}  // namespace flowrun::readers
