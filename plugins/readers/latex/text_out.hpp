#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace flowrun::readers {

/// Text being written as paragraphs: blanks and breaks are held back until there is text behind them, so none stands twice or at an end.
class TextOut {
 public:
  void text(std::string_view bytes) {
    if (bytes.empty()) return;
    flush();
    out_ += bytes;
  }
  void space() noexcept { ask(Break::kSpace); }
  void line() noexcept { ask(Break::kLine); }
  void paragraph() noexcept { ask(Break::kParagraph); }
  /// Writes a blank that stays whatever follows (the indent of a list).
  void indent(std::size_t blanks) {
    flush();
    out_.append(blanks, ' ');
  }
  bool empty() const noexcept { return out_.empty(); }
  std::size_t size() const noexcept { return out_.size(); }
  /// Gives the text and starts anew.
  std::string take() {
    wanted_ = Break::kNone;
    return std::exchange(out_, {});
  }

 private:
  enum class Break { kNone, kSpace, kLine, kParagraph };
  void ask(Break wanted) noexcept {
    if (wanted > wanted_) wanted_ = wanted;
  }
  void flush() {
    static constexpr std::string_view kBreaks[] = {"", " ", "\n", "\n\n"};
    if (!out_.empty()) out_ += kBreaks[static_cast<int>(wanted_)];
    wanted_ = Break::kNone;
  }

  std::string out_;
  Break wanted_ = Break::kNone;
};

}  // namespace flowrun::readers
