#pragma once

// The one exception type of flowrun. It never crosses a shared-library boundary: the SDK's adapter catches it inside the plugin
// and hands the host a plain record (see abi.h, flowrun_error).

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun {

/// States what kind of failure an Error is; the values are those of `flowrun_code` in abi.h.
enum class Code : int {
  kInvalidArgument = 1,
  kNotFound = 2,
  kCorruptData = 3,
  kIo = 4,
  kOutOfMemory = 5,
  kUnavailable = 6,
  kUnsupported = 7,
  kCancelled = 8,
  kInternal = 9,
};

/// Returns the code's published spelling, for example "kCorruptData".
inline const char* code_name(Code code) noexcept {
  switch (code) {
    case Code::kInvalidArgument: return "kInvalidArgument";
    case Code::kNotFound: return "kNotFound";
    case Code::kCorruptData: return "kCorruptData";
    case Code::kIo: return "kIo";
    case Code::kOutOfMemory: return "kOutOfMemory";
    case Code::kUnavailable: return "kUnavailable";
    case Code::kUnsupported: return "kUnsupported";
    case Code::kCancelled: return "kCancelled";
    case Code::kInternal: return "kInternal";
  }
  return "kInternal";
}

/// Carries a code, a message (lower-case start, no final period: found and expected) and a context chain from specific to general.
///
/// Layers that know more call `add_context` and rethrow; `main()` prints the whole once. Callers switch on `code()`.
class Error : public std::exception {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)), text_(message_) {}

  /// Appends one line of context, printed indented below the message.
  void add_context(std::string_view line) {
    text_ += "\n  ";
    text_ += line;
    context_.emplace_back(line);
  }

  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::string>& context() const noexcept { return context_; }
  /// Returns the message and every line of context.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Code code_;
  std::string message_;
  std::string text_;
  std::vector<std::string> context_;
};

}  // namespace flowrun
