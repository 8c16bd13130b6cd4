#pragma once

// What TeX reads from: files, expanded macros and arguments, one above the other.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// Why a paper is refused.
struct LatexFault {
  const char* code = "";
  std::string message;
};

/// A stack of texts that reads as one, from the top. Reading does not go below a barrier. Throws LatexFault where the stack grows too high or
/// more is pushed than allowed: that bounds the time and memory that macros take.
class TexInput {
 public:
  static constexpr std::size_t kMaxDepth = 400, kMaxFiles = 40;

  explicit TexInput(std::size_t max_pushed_bytes) : max_pushed_bytes_(max_pushed_bytes) {}

  enum class Kind { kText, kFile, kBarrier };
  /// Puts a text on top; `name` is a file's.
  void push(std::shared_ptr<const std::string> text, Kind kind = Kind::kText, std::string name = {});
  /// Takes everything above the last barrier away, and it.
  void pop_barrier();
  /// Returns whether a file of that name is being read.
  bool is_open(std::string_view name) const noexcept;
  std::size_t open_files() const noexcept { return files_; }
  /// Leaves the innermost file at once; returns whether it was not the first.
  bool leave_file();

  /// Returns the unread part of the uppermost text that has one; empty at the end or at a barrier. Valid until the next push.
  std::string_view rest();
  /// Passes over `n` bytes of `rest`, which is empty, so that n is 0, where there is no text any more.
  void advance(std::size_t n) noexcept {
    if (n > 0) frames_.back().at += n;
  }
  /// Returns the next character, -1 at the end or at a barrier.
  int peek() {
    const std::string_view bytes = rest();
    return bytes.empty() ? -1 : static_cast<unsigned char>(bytes[0]);
  }

  /// Passes over blanks, at most one line end, and comments.
  void skip_blanks();
  /// Passes over a comment that begins here: its line, and the blanks that the next one begins with.
  void skip_comment();
  bool take(char c);
  /// Reads the name of a control sequence whose backslash has been read: letters, or one character. Blanks behind letters are passed over.
  std::string read_name(bool at_is_letter);
  /// Reads an argument: what stands in braces, without comments; or one token.
  std::string read_argument(bool at_is_letter);
  /// Reads what stands in brackets, where a bracket is next and is closed within this text before a blank line.
  std::optional<std::string> read_optional();

 private:
  struct Frame {
    std::shared_ptr<const std::string> text;
    std::size_t at;
    Kind kind;
    std::string name;
  };
  void pop() noexcept;
  std::string read_group();

  std::vector<Frame> frames_;
  std::size_t files_ = 0, pushed_bytes_ = 0, max_pushed_bytes_;
};

}  // namespace flowrun::readers
