#include "readers/common/text_pieces.hpp"

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

std::string_view without_newline(std::string_view text) noexcept {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool TextPieces::next(const Call& call, Piece& piece) {
  window_->consume(taken_);
  taken_ = 0;
  if (limits_.skip_blank_lines) skip_blank_lines(call);
  piece.forced = false;
  taken_ = piece_size(call, &piece.forced);
  const bool at_end = taken_ == window_->data().size() && !piece.forced;
  if (taken_ == 0 || (at_end && window_->file().damage())) return false;
  piece.text = window_->data().substr(0, taken_);
  if (limits_.skip_blank_lines) piece.text = without_newline(piece.text);
  return true;
}

void TextPieces::skip_blank_lines(const Call& call) {
  while (true) {
    const std::size_t end = window_->line_end(call, 0, limits_.max_bytes + 1);
    if (end == 0 || end == std::string_view::npos || !is_blank(window_->data().substr(0, end))) return;
    window_->consume(end);
  }
}

/// Returns whether a piece may end before the line at `line`, as far as the text is concerned: that line is blank or there is none.
bool TextPieces::may_end_at(const Call& call, std::size_t line) {
  const std::size_t end = window_->line_end(call, line, line + limits_.max_bytes + 1);
  return end != std::string_view::npos && is_blank(window_->data().substr(line, end - line));
}

/// Returns how many bytes the next piece takes, its last newline included; 0 at the end of the file.
std::size_t TextPieces::piece_size(const Call& call, bool* forced) {
  std::size_t line = 0;  // where the line that is looked at begins
  while (true) {
    const std::size_t end = window_->line_end(call, line, limits_.max_bytes + 1);
    if (end == std::string_view::npos) break;
    const std::string_view text = window_->data().substr(line, end - line);
    if (text.empty() || (line >= limits_.min_bytes && is_blank(text))) return line;
    line = end;
  }
  *forced = line == 0 || !may_end_at(call, line);
  if (line > 0) return line;
  const std::size_t cut = character_start(window_->data(), limits_.max_bytes);
  return cut > 0 ? cut : limits_.max_bytes;
}

}  // namespace flowrun::readers
