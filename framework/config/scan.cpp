#include "config/scan.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "config/limits.hpp"
#include "config/utf8.hpp"

namespace flowrun::config {
namespace {

constexpr const char* kNotAscii = "character that is not ASCII, which TOML allows only in strings and comments";
/// First character of the names that replace those of duplicate nodes: private use (U+E000), and no node's name may have it.
constexpr std::string_view kDuplicateMark = "\xEE\x80\x80";

bool is_bare(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

class Scanner {
 public:
  Scanner(const std::string& text, const std::string& file, Reporter& report) : text_(text), file_(file), report_(report) {}

  bool check_bytes();
  bool check_structure();
  ScannedText take_result();

 private:
  /// One part of a header's key.
  struct Segment {
    std::size_t begin = 0;  ///< bytes of the file, with quotes
    std::size_t end = 0;
    std::optional<std::string> name;  ///< absent where escapes would have to be read
  };
  struct Edit {
    std::size_t begin;
    std::size_t end;
    std::string replacement;
  };
  /// A `[node.x]` seen before.
  struct SeenNode {
    std::uint32_t line;
    std::string current;  ///< the name under which toml++ sees the last of them; empty: its own
  };

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      line_begin_ = at_ + 1;
    }
    ++at_;
  }
  void skip_blanks() {
    while (!at_end() && (peek() == ' ' || peek() == '\t')) advance();
  }
  void skip_line() {
    while (!at_end() && peek() != '\n') advance();
  }
  SourceLocation place() const {
    const std::string_view before = std::string_view(text_).substr(line_begin_, at_ - line_begin_);
    return {file_, line_, static_cast<std::uint32_t>(count_code_points(before) + 1)};
  }
  bool too_large(const std::string& message, std::size_t found, std::size_t cap) {
    report_.error(place(), "too_large", message, {.found = std::to_string(found), .expected = "at most " + std::to_string(cap)});
    return false;
  }

  bool is_ascii() const { return static_cast<unsigned char>(peek()) < 0x80; }
  void stop(std::string message);
  void escape_after_line_end();

  void skip_string();
  bool scan_header();
  bool scan_key();
  bool scan_value();
  bool count_part(std::size_t parts);
  bool count_implicit_table();
  std::optional<Segment> read_segment();
  void note_node(const SourceLocation& where, const std::vector<Segment>& segments);

  const std::string& text_;
  const std::string& file_;
  Reporter& report_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;

  std::size_t implicit_tables_ = 0;
  std::string last_header_root_;
  std::unordered_map<std::string, SeenNode> nodes_;
  std::vector<Edit> edits_;
  std::optional<Stop> stop_;
  std::unordered_map<std::string, std::string> duplicates_;
};

bool Scanner::check_bytes() {
  while (!at_end()) {
    // Nearly every byte of nearly every file.
    if (peek() >= ' ' && peek() < '\x7F') {
      ++at_;
      continue;
    }
    const std::size_t length = utf8_length(text_, at_);
    if (length == 0) {
      report_.error(place(), "toml_syntax", "text is not valid UTF-8");
      return false;
    }
    const char c = peek();
    const bool line_end = c == '\n' || (c == '\r' && peek(1) == '\n');
    // TOML forbids these everywhere. Parsers differ in whether a lone carriage return or a form feed ends a comment, and the rest of this
    // scan must see the same lines as toml++.
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && !line_end) || c == '\x7F') {
      report_.error(place(), "toml_syntax", "control character in the text, expected an escape such as \\u0007 in a string");
      return false;
    }
    advance();
    at_ += length - 1;
  }
  at_ = line_begin_ = 0;
  line_ = 1;
  return true;
}

bool Scanner::check_structure() {
  while (!at_end()) {
    skip_blanks();
    if (at_end()) break;
    if (peek() == '\n' || peek() == '\r') {
      advance();
    } else if (peek() == '#') {
      skip_line();
    } else if (peek() == '[') {
      if (!scan_header()) return false;
    } else if (!scan_key() || !scan_value()) {
      return false;
    }
  }
  return true;
}

/// Goes behind a string of any of the four kinds; one that is not closed ends with its line, or with the text.
void Scanner::skip_string() {
  const char quote = peek();
  const bool escapes = quote == '"';
  const bool multi_line = peek(1) == quote && peek(2) == quote;
  at_ += multi_line ? 3 : 1;
  while (!at_end()) {
    if (escapes && peek() == '\\') {
      advance();
      if (multi_line && !is_ascii()) stop(kNotAscii);  // no escape that TOML knows
      if (multi_line && (peek() == '\n' || peek() == '\r' || peek() == ' ' || peek() == '\t')) {
        escape_after_line_end();
      } else if (!at_end() && peek() != '\n') {
        advance();
      }
    } else if (!multi_line) {
      if (peek() == '\n') return;
      const bool closed = peek() == quote;
      advance();
      if (closed) return;
    } else if (peek() == quote && peek(1) == quote && peek(2) == quote) {
      at_ += 3;
      // Up to two quotes more belong to the string's own text.
      for (int extra = 0; extra < 2 && peek() == quote; ++extra) ++at_;
      return;
    } else {
      advance();
    }
  }
}

/// Ends the scan here, and the text that toml++ gets.
void Scanner::stop(std::string message) {
  stop_ = Stop{place(), std::move(message)};
  edits_.push_back({at_, text_.size(), "?"});
  at_ = text_.size();
}

/// Goes behind the white space that a line-ending backslash takes out of a string. The character there is written as an escape if toml++
/// must not see it; columns behind it in its line then shift, which is the price of this rare case.
void Scanner::escape_after_line_end() {
  while (!at_end() && (peek() == '\n' || peek() == '\r' || peek() == ' ' || peek() == '\t')) advance();
  if (at_end() || is_ascii()) return;
  const std::size_t length = utf8_length(text_, at_);
  std::uint32_t code_point = static_cast<unsigned char>(text_[at_]) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code_point = code_point << 6U | (static_cast<unsigned char>(text_[at_ + i]) & 0x3FU);
  edits_.push_back({at_, at_ + length, fmt::format("\\U{:08X}", code_point)});
}

bool Scanner::count_part(std::size_t parts) {
  if (parts <= kMaxDottedDepth) return true;
  return too_large("dotted key is more than " + std::to_string(kMaxDottedDepth) + " levels deep", parts, kMaxDottedDepth);
}

bool Scanner::count_implicit_table() {
  if (++implicit_tables_ <= kMaxImplicitTables) return true;
  return too_large("file has more than " + std::to_string(kMaxImplicitTables) + " dotted keys and nested headers", implicit_tables_,
                   kMaxImplicitTables);
}

std::optional<Scanner::Segment> Scanner::read_segment() {
  Segment segment;
  segment.begin = at_;
  if (peek() == '"' || peek() == '\'') {
    const char quote = peek();
    skip_string();
    const std::string_view raw = std::string_view(text_).substr(segment.begin, at_ - segment.begin);
    const bool plain = quote == '\'' || raw.find('\\') == std::string_view::npos;
    if (plain && raw.size() >= 2 && raw.back() == quote) segment.name = std::string(raw.substr(1, raw.size() - 2));
  } else {
    while (!at_end() && is_bare(peek())) advance();
    segment.name = text_.substr(segment.begin, at_ - segment.begin);
  }
  segment.end = at_;
  if (segment.begin == segment.end) return std::nullopt;
  return segment;
}

bool Scanner::scan_header() {
  const SourceLocation where = place();
  const std::size_t begin = at_;
  advance();
  const bool is_array = peek() == '[';
  if (is_array) advance();
  skip_blanks();
  if (!is_bare(peek()) && peek() != '"' && peek() != '\'' && peek() != ']') {
    at_ = begin;
    stop("table header that does not begin with a key");
    return true;
  }
  std::vector<Segment> segments;
  while (true) {
    skip_blanks();
    if (!count_part(segments.size() + 1)) return false;
    std::optional<Segment> segment = read_segment();
    if (!segment) break;
    segments.push_back(std::move(*segment));
    skip_blanks();
    if (peek() != '.') break;
    advance();
  }
  const bool closed = peek() == ']';
  while (!at_end() && peek() != '\n' && peek() != '#') {
    if (!is_ascii()) {
      stop(kNotAscii);
    } else {
      advance();
    }
  }

  const std::string root = segments.empty() ? std::string() : segments[0].name.value_or("");
  const bool makes_tables = segments.size() > 2 || (segments.size() == 2 && root != last_header_root_);
  last_header_root_ = root;
  if (makes_tables && !count_implicit_table()) return false;
  if (closed && !is_array && segments.size() >= 2 && root == "node" && segments[1].name) note_node(where, segments);
  return true;
}

/// Reports the second `[node.x]`, and makes toml++ see it and what belongs to it (`[node.x.weights]`) under another name.
void Scanner::note_node(const SourceLocation& where, const std::vector<Segment>& segments) {
  const std::string& name = *segments[1].name;
  const auto seen = nodes_.find(name);
  if (segments.size() == 2) {
    if (seen == nodes_.end()) {
      nodes_.emplace(name, SeenNode{where.line, {}});
      return;
    }
    report_.error(where, "duplicate_node", "node '" + name + "' is already defined at line " + std::to_string(seen->second.line),
                  {.node = name});
    seen->second.current = std::string(kDuplicateMark) + std::to_string(duplicates_.size());
    duplicates_.emplace(seen->second.current, name);
  }
  if (seen != nodes_.end() && !seen->second.current.empty()) {
    edits_.push_back({segments[1].begin, segments[1].end, '"' + seen->second.current + '"'});
  }
}

/// Goes behind the `=` of a key, or to the end of a line that has none.
bool Scanner::scan_key() {
  std::size_t parts = 1;
  while (!at_end() && peek() != '=' && peek() != '\n') {
    if (peek() == '"' || peek() == '\'') {
      skip_string();
    } else {
      if (peek() == '.') {
        if (parts == 1 && !count_implicit_table()) return false;
        if (!count_part(++parts)) return false;
      }
      if (!is_ascii()) {
        stop(kNotAscii);
      } else {
        advance();
      }
    }
  }
  if (peek() == '=') advance();
  return true;
}

/// Goes behind a value, that is to the end of the line on which every bracket is closed.
bool Scanner::scan_value() {
  std::vector<char> open;
  bool in_key = false;
  std::size_t parts = 1;
  while (!at_end() && !(peek() == '\n' && open.empty())) {
    const char c = peek();
    if (c == '"' || c == '\'') {
      // Text runs on into the quotes, and toml++ reads on for the end of that text.
      if (std::string_view(" \t\n=[{,").find(text_[at_ - 1]) == std::string_view::npos) {
        stop("string that follows other text without a separator");
      } else {
        skip_string();
      }
      continue;
    }
    if (c == '#') {
      skip_line();
      continue;
    }
    if (!is_ascii()) {
      stop(kNotAscii);
      break;
    }
    if (c == '[' || c == '{') {
      open.push_back(c);
      if (open.size() > kMaxNesting) {
        return too_large("arrays and inline tables are nested more than " + std::to_string(kMaxNesting) + " deep", open.size(),
                         kMaxNesting);
      }
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
    }
    if (c == '{' || (c == ',' && !open.empty() && open.back() == '{')) {
      in_key = true;
      parts = 1;
    } else if (c == '=' || c == '[' || c == '}' || c == ']') {
      in_key = false;
    } else if (c == '.' && in_key) {
      if (parts == 1 && !count_implicit_table()) return false;
      if (!count_part(++parts)) return false;
    }
    advance();
  }
  return true;
}

ScannedText Scanner::take_result() {
  ScannedText result;
  result.duplicates = std::move(duplicates_);
  result.stop = std::move(stop_);
  if (edits_.empty()) return result;
  std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string rewritten;
  std::size_t from = 0;
  for (const Edit& edit : edits_) {
    rewritten.append(text_, from, edit.begin - from).append(edit.replacement);
    from = edit.end;
  }
  rewritten.append(text_, from, std::string::npos);
  result.rewritten = std::move(rewritten);
  return result;
}

}  // namespace

std::optional<ScannedText> scan(const std::string& text, const std::string& file, Reporter& report) {
  if (text.size() > kMaxFileBytes) {
    report.error({file, 1, 1}, "too_large", "file has more than " + std::to_string(kMaxFileBytes) + " bytes",
                 {.expected = "at most " + std::to_string(kMaxFileBytes)});
    return std::nullopt;
  }
  Scanner scanner(text, file, report);
  if (!scanner.check_bytes() || !scanner.check_structure()) return std::nullopt;
  return scanner.take_result();
}

}  // namespace flowrun::config
