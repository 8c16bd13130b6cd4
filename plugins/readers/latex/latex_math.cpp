#include "latex_converter.hpp"

namespace flowrun::readers {

void LatexConverter::dollar() {
  in_.advance(1);
  if (in_.take('$')) return math("$$", "$$", true);
  math("$", "$", false);
}

void LatexConverter::ensure_math() {
  if (const std::string inside = in_.read_argument(at_is_letter_); options_.keep_math) {
    in_.push(shared(inside + "$"));
    math("$", "$", false);
  }
}

void LatexConverter::math(const std::string& start, const std::string& end, bool display, bool environment) {
  bool closed = true;
  const std::string inside = read_math(end, environment, closed);
  const std::string_view body = trim(inside);
  if (options_.keep_math && !body.empty()) {
    if (display) out_->line();
    const std::string gap = environment ? "\n" : "";
    out_->text(start + gap + std::string(body) + gap + (!closed ? "" : environment ? "\\end{" + end + "}" : end));
  }
  if (!closed) return end_paragraph();
  if (display) out_->line();
}

std::string LatexConverter::read_math(const std::string& end, bool environment, bool& closed) {
  std::string out;
  int braces = 0, nested = 0;
  while (true) {
    const std::string_view bytes = in_.rest();
    if (bytes.empty()) return out;
    const std::size_t plain = std::min(bytes.find_first_of("\\{}%$ \t\r\n"), bytes.size());
    out += bytes.substr(0, plain);
    in_.advance(plain);
    if (plain == bytes.size()) continue;
    const char c = bytes[plain];
    if (c == '%') {
      in_.skip_comment();
    } else if (c == '\\') {
      in_.advance(1);
      if (math_command(end, environment, nested, out)) return out;
    } else if (c == '$') {
      in_.advance(1);
      if (end == "$" && braces <= 0) return out;
      if (end == "$$" && braces <= 0) {
        in_.take('$');
        return out;
      }
      out += '$';
    } else if (c == '{' || c == '}') {
      braces += c == '{' ? 1 : -1;
      out += c;
      in_.advance(1);
    } else {
      // A blank line ends what nobody has closed, as in TeX.
      if (!math_blanks(out) || environment) continue;
      closed = false;
      return out;
    }
  }
}

bool LatexConverter::math_blanks(std::string& out) {
  const std::string_view bytes = in_.rest();
  std::size_t n = 0, lines = 0;
  for (; n < bytes.size() && (bytes[n] == ' ' || bytes[n] == '\t' || bytes[n] == '\r' || bytes[n] == '\n'); ++n) lines += bytes[n] == '\n';
  in_.advance(n);
  if (!out.empty() && out.back() != ' ') out += ' ';
  return lines > 1;
}

bool LatexConverter::math_command(const std::string& end, bool environment, int& nested, std::string& out) {
  const std::string_view before = in_.rest();
  const std::string name = in_.read_name(at_is_letter_);
  if (!environment && end == "\\" + name) return true;
  if (name == "begin" || name == "end") {
    const std::string which = in_.read_argument(at_is_letter_);
    if (environment && which == end && (name == "begin" ? nested++ : nested--) == 0 && name == "end") return true;
    if (name == "end" && which == "document") {
      in_.push(shared("\\end{document}"));
      return true;
    }
    out += "\\" + name + "{" + which + "}";
  } else if (name == "label" || name == "tag" || name == "intertext") {
    in_.take('*');
    in_.read_argument(at_is_letter_);
  } else if (const auto macro = macros_.find(name); macro != macros_.end()) {
    expand(macro->second);
    // "\alpha" and the letters of an argument must not run into one word.
    if (ends_in_word(out) && in_.peek() >= 0 && letter(in_.peek())) out += ' ';
  } else if (name != "nonumber" && name != "notag" && name != "ensuremath" && name != "xspace") {
    out += "\\" + name;
    const bool blank = name.size() < before.size() && letter(static_cast<unsigned char>(name[0])) && std::string_view(" \t\n").find(before[name.size()]) != std::string_view::npos;
    if (blank || (letter(static_cast<unsigned char>(name.back())) && in_.peek() >= 0 && letter(in_.peek()))) out += ' ';
  }
  return false;
}

bool LatexConverter::ends_in_word(const std::string& text) noexcept {
  std::size_t at = text.size();
  while (at > 0 && letter(static_cast<unsigned char>(text[at - 1]))) --at;
  return at < text.size() && at > 0 && text[at - 1] == '\\';
}

}  // namespace flowrun::readers
