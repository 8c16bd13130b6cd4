#include "latex_text.hpp"

#include <array>

#include "latex_converter.hpp"
#include "tex_paper.hpp"

namespace flowrun::readers {
namespace {

/// Which bytes of a text mean something to TeX.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (const char c : std::string_view("\\{}%$~&#`'- \t\r\n")) special[static_cast<unsigned char>(c)] = true;
  return special;
}();

std::size_t plain_run(std::string_view text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && !kSpecial[static_cast<unsigned char>(text[n])]) ++n;
  return n;
}

}  // namespace

void LatexConverter::run(LatexDocument& document) {
  document_ = &document;
  const SharedText source = find_(main_);
  in_body_ = find_uncommented(*source, "\\begin{document}") == std::string_view::npos;
  out_ = in_body_ ? &body_ : &nowhere_;
  in_.push(source, TexInput::Kind::kFile, main_);
  convert();
  at_end_ = true;
  close_environments(0);
  end_paragraph();
  document.title = flat(title_);
  for (const std::string& name : authors_) (document.authors += document.authors.empty() ? "" : "; ") += name;
  document.abstract = abstract_;
  TextOut whole;
  if (!document.title.empty()) whole.text("# " + document.title), whole.paragraph();
  if (!preamble_abstract_.empty()) whole.text(preamble_abstract_), whole.paragraph();
  whole.text(body_.take());
  document.text = whole.take();
}

void LatexConverter::convert() {
  while (true) {
    const std::string_view bytes = in_.rest();
    if (bytes.empty() || stopped_) return;
    std::size_t plain = plain_run(bytes);
    if (!short_verbs_.empty()) plain = std::min(plain, bytes.substr(0, plain).find_first_of(short_verbs_));
    if (plain > 0) {
      out_->text(bytes.substr(0, plain));
      in_.advance(plain);
    } else {
      special(bytes);
    }
  }
}

void LatexConverter::special(std::string_view bytes) {
  if (short_verbs_.find(bytes[0]) != std::string::npos) return verb("verb");
  switch (bytes[0]) {
    case '\\':
      in_.advance(1);
      return command();
    case '%': return comment();
    case '$': return dollar();
    case '~':
      out_->space();
      return in_.advance(1);
    case '&':
      out_->space();
      if (in_tabular()) out_->text("|"), out_->space();
      return in_.advance(1);
    case '`': return quote(bytes, '`', "“", "‘");
    case '\'': return quote(bytes, '\'', "”", "’");
    case '-': return dash(bytes);
    case '{': case '}': return in_.advance(1);
    case '#':
      out_->text("#");
      return in_.advance(1);
    default: return blanks(bytes);
  }
}

void LatexConverter::comment() {
  in_.skip_comment();
  if (in_.peek() == '\n') end_paragraph();  // the line behind the comment's is blank
}

void LatexConverter::blanks(std::string_view bytes) {
  std::size_t n = 0, lines = 0;
  for (; n < bytes.size() && (bytes[n] == ' ' || bytes[n] == '\t' || bytes[n] == '\r' || bytes[n] == '\n'); ++n) lines += bytes[n] == '\n';
  in_.advance(n);
  if (lines > 1) end_paragraph();
  else out_->space();
}

void LatexConverter::quote(std::string_view bytes, char sign, std::string_view two, std::string_view one) {
  const bool both = bytes.size() > 1 && bytes[1] == sign;
  out_->text(both ? two : one);
  in_.advance(both ? 2 : 1);
}

void LatexConverter::dash(std::string_view bytes) {
  static constexpr std::string_view kDashes[] = {"-", "–", "—"};
  std::size_t n = 1;
  while (n < 3 && n < bytes.size() && bytes[n] == '-') ++n;
  out_->text(kDashes[n - 1]);
  in_.advance(n);
}

void LatexConverter::end_paragraph() {
  out_->paragraph();
  if (notes_.empty() || out_ != &body_) return;
  for (std::string& note : std::exchange(notes_, {})) {
    out_->text(note);
    out_->paragraph();
  }
}

std::string LatexConverter::convert_argument(std::string argument) {
  if (argument.find_first_of("\\{}%$~&#`'-") == std::string::npos) return argument;
  constexpr int kMaxDepth = 60;
  if (argument_depth_ >= kMaxDepth) throw LatexFault{"too_deep", "arguments stand in each other more than " + std::to_string(kMaxDepth) + " deep"};
  ++argument_depth_;
  TextOut inner;
  TextOut* const outer = std::exchange(out_, &inner);
  const std::size_t floor = std::exchange(open_floor_, open_.size());
  in_.push(shared(std::move(argument)), TexInput::Kind::kBarrier);
  convert();
  close_environments(open_floor_);
  if (!stopped_) convert();  // what the closed environments end with
  in_.pop_barrier();
  open_floor_ = floor;
  out_ = outer;
  --argument_depth_;
  return inner.take();
}

std::string LatexConverter::flat(std::string text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == kNextLine[0] || c == kNextAuthor[0];
    if (!blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::optional<LatexFault> latex_to_text(const std::string& main, const FindTex& find, const LatexOptions& options, LatexDocument& out) {
  try {
    LatexConverter(main, find, options).run(out);
    return std::nullopt;
  } catch (LatexFault& fault) {
    return std::move(fault);
  }
}

}  // namespace flowrun::readers
