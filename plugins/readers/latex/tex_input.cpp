#include "tex_input.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

void TexInput::push(std::shared_ptr<const std::string> text, Kind kind, std::string name) {
  constexpr std::size_t kCost = 16;  // of a push in itself, so that empty macros cannot go on for ever
  pushed_bytes_ += text->size() + kCost;
  if (pushed_bytes_ > max_pushed_bytes_)
    throw LatexFault{"too_much_expansion", "macros and inputs expand to more than " + std::to_string(max_pushed_bytes_) + " bytes ('max_expanded_bytes')"};
  if (kind != Kind::kBarrier && !frames_.empty()) rest();  // takes away what has been read, so that a macro that ends in itself is no deep one
  if (frames_.size() >= kMaxDepth) throw LatexFault{"too_deep", "macros, inputs and arguments stand in each other more than " + std::to_string(kMaxDepth) + " deep"};
  files_ += kind == Kind::kFile;
  frames_.push_back({std::move(text), 0, kind, std::move(name)});
}

void TexInput::pop() noexcept {
  files_ -= frames_.back().kind == Kind::kFile;
  frames_.pop_back();
}

void TexInput::pop_barrier() {
  while (frames_.back().kind != Kind::kBarrier) pop();
  pop();
}

bool TexInput::is_open(std::string_view name) const noexcept {
  return std::any_of(frames_.begin(), frames_.end(), [&](const Frame& frame) { return frame.kind == Kind::kFile && frame.name == name; });
}

bool TexInput::leave_file() {
  while (!frames_.empty() && frames_.back().kind == Kind::kText) pop();
  if (!frames_.empty()) frames_.back().at = frames_.back().text->size();
  return files_ > 1;
}

std::string_view TexInput::rest() {
  while (!frames_.empty()) {
    const Frame& top = frames_.back();
    if (top.at < top.text->size()) return std::string_view(*top.text).substr(top.at);
    if (top.kind == Kind::kBarrier) break;
    pop();
  }
  return {};
}

void TexInput::skip_comment() {
  const std::string_view bytes = rest();
  std::size_t end = bytes.find('\n');
  end = end == std::string_view::npos ? bytes.size() : end + 1;
  while (end < bytes.size() && (bytes[end] == ' ' || bytes[end] == '\t')) ++end;
  advance(end);
}

void TexInput::skip_blanks() {
  bool line = false;
  for (int c = peek(); c >= 0; c = peek()) {
    if (c == '%') {
      skip_comment();
    } else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !std::exchange(line, true))) {
      advance(1);
    } else {
      return;
    }
  }
}

bool TexInput::take(char c) {
  if (peek() != static_cast<unsigned char>(c)) return false;
  advance(1);
  return true;
}

std::string TexInput::read_name(bool at_is_letter) {
  const std::string_view bytes = rest();
  std::size_t end = 0;
  while (end < bytes.size() && (is_letter(bytes[end]) || (at_is_letter && bytes[end] == '@'))) ++end;
  std::size_t size = std::max<std::size_t>(end, bytes.empty() ? 0 : 1);
  while (end == 0 && size < bytes.size() && (static_cast<unsigned char>(bytes[size]) & 0xC0) == 0x80) ++size;  // the rest of a character
  std::string name(bytes.substr(0, size));
  if (name.empty()) return name;
  advance(name.size());
  if (end > 0) skip_blanks();
  return name;
}

std::string TexInput::read_argument(bool at_is_letter) {
  skip_blanks();
  const int c = peek();
  if (c < 0 || c == '}') return {};
  advance(1);
  if (c == '{') return read_group();
  std::string token(1, static_cast<char>(c));
  if (c == '\\') {
    token += read_name(at_is_letter);
    return token;
  }
  while (static_cast<unsigned char>(token[0]) >= 0xC0 && peek() >= 0x80 && peek() < 0xC0) {  // the rest of a character
    token += static_cast<char>(peek());
    advance(1);
  }
  return token;
}

/// Reads to the brace that closes the group; its opening brace has been read. A group that is not closed ends with the text.
std::string TexInput::read_group() {
  std::string out;
  for (int depth = 1;;) {
    const std::string_view bytes = rest();
    if (bytes.empty()) return out;
    const std::size_t plain = std::min(bytes.find_first_of("{}%\\"), bytes.size());
    out += bytes.substr(0, plain);
    advance(plain);
    if (plain == bytes.size()) continue;
    switch (bytes[plain]) {
      case '%': skip_comment(); break;
      case '\\':
        out += bytes.substr(plain, 2);
        advance(std::min<std::size_t>(2, bytes.size() - plain));
        break;
      case '{':
        ++depth;
        out += '{';
        advance(1);
        break;
      default:
        advance(1);
        if (--depth == 0) return out;
        out += '}';
    }
  }
}

std::optional<std::string> TexInput::read_optional() {
  constexpr std::size_t kMaxBytes = 4000;  // so that brackets that nobody closes cost no more than this each
  if (peek() != '[') return std::nullopt;
  const std::string_view bytes = rest().substr(0, kMaxBytes);
  int depth = 0;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    switch (bytes[i]) {
      case '\\': ++i; break;
      case '{': ++depth; break;
      case '}':
        if (--depth < 0) return std::nullopt;
        break;
      case '\n':
        if (bytes.substr(i + 1).starts_with('\n')) return std::nullopt;
        break;
      case ']':
        if (depth > 0) break;
        std::string out(bytes.substr(1, i - 1));
        advance(i + 1);
        return out;
    }
  }
  return std::nullopt;
}

}  // namespace flowrun::readers
