#include "python_pattern.hpp"

#include <flowrun/error.hpp>

#include <algorithm>

namespace flowrun::filters {
namespace {

// str.isspace and what is not, as members of a set; RE2's own \s knows neither \v nor anything beyond ASCII.
constexpr std::string_view kUnicodeSpaces = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
constexpr std::string_view kUnicodeOthers =
    "\\x00-\\x08\\x0e-\\x1b\\x21-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";
constexpr std::string_view kAsciiSpaces = "\\t-\\r\\x20", kAsciiOthers = "\\x00-\\x08\\x0e-\\x1f\\x21-\\x{10ffff}";
constexpr std::string_view kUnicodeWord = "\\pL\\pN_";

class Translation {
 public:
  Translation(std::string_view pattern, CharacterClasses classes) : pattern_(pattern), unicode_(classes == CharacterClasses::kUnicode), multiline_(sets_multiline(pattern)) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\\') escape();
      else if (in_set_) set_member();
      else outside_set();
    }
    return std::move(out_);
  }

 private:
  /// Whether a group of flags, "(?ms)" or "(?m:", has an m.
  static bool sets_multiline(std::string_view pattern) {
    for (std::size_t at = pattern.find("(?"); at != std::string_view::npos; at = pattern.find("(?", at + 1)) {
      const std::string_view flags = pattern.substr(at + 2, std::min(pattern.find_first_not_of("ims", at + 2), pattern.size()) - at - 2);
      if (flags.find('m') != std::string_view::npos) return true;
    }
    return false;
  }

  void copy(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ += count;
  }
  void put(std::size_t skipped, std::string_view text) {
    at_ += skipped;
    out_ += text;
  }
  /// Puts members of a set, with brackets outside of one.
  void put_set(std::string_view members, bool negated = false) {
    put(2, in_set_ ? members : std::string(negated ? "[^" : "[") + std::string(members) + "]");
  }

  void outside_set() {
    const std::string_view rest = pattern_.substr(at_);
    if (rest[0] == '[') {
      in_set_ = true;
      copy(rest.starts_with("[^") ? 2 : 1);
      if (at_ < pattern_.size() && pattern_[at_] == ']') put(1, "\\]");
    } else if (rest[0] == '$' && !multiline_) {
      put(1, "(?:\\n?\\z)");
    } else if (rest.starts_with("{,")) {
      put(2, "{0,");
    } else {
      copy(1);
    }
  }

  void set_member() {
    if (pattern_[at_] == '[') return put(1, "\\[");
    in_set_ = pattern_[at_] != ']';
    copy(1);
  }

  void code_point(std::size_t digits) {
    const std::string_view hex = pattern_.substr(std::min(at_ + 2, pattern_.size()), digits);
    if (hex.size() < digits) return copy(2);  // RE2 refuses it
    put(2 + digits, "\\x{" + std::string(hex) + "}");
  }

  void escape() {
    switch (at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : '\0') {
      case 'w': return unicode_ ? put_set(kUnicodeWord) : copy(2);
      case 'W':
        if (!unicode_) return copy(2);
        if (in_set_) throw Error(Code::kInvalidArgument, "\\W inside [...] at byte " + std::to_string(at_) + " cannot be said in RE2: write [^\\w...] instead, or set unicode = false");
        return put_set(kUnicodeWord, true);
      case 'd': return unicode_ ? put(2, "\\p{Nd}") : copy(2);
      case 'D': return unicode_ ? put(2, "\\P{Nd}") : copy(2);
      case 's': return put_set(unicode_ ? kUnicodeSpaces : kAsciiSpaces);
      case 'S': return put_set(unicode_ ? kUnicodeOthers : kAsciiOthers);
      case 'b':
        if (in_set_) return put(2, "\\x08");
        [[fallthrough]];
      case 'B':
        if (unicode_) throw Error(Code::kInvalidArgument, "\\b and \\B at byte " + std::to_string(at_) + " know letters of ASCII alone in RE2: set unicode = false for that, as Python's re.ASCII does");
        return copy(2);
      case 'Z': return put(2, "\\z");
      case 'u': return code_point(4);
      case 'U': return code_point(8);
      default: return copy(std::min<std::size_t>(2, pattern_.size() - at_));
    }
  }

  std::string_view pattern_;
  bool unicode_, multiline_, in_set_ = false;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string re2_pattern(std::string_view pattern, CharacterClasses classes) { return Translation(pattern, classes).run(); }

}  // namespace flowrun::filters
