#include "latex_converter.hpp"

#include <utf8proc.h>

#include <cstdlib>

namespace flowrun::readers {
namespace {

/// Puts a combining character on the first one of `text`, composed where Unicode has the two as one (NFC).
std::string accented(std::string_view mark, std::string text) {
  for (const auto& [dotless, dotted] : {std::pair(std::string_view("ı"), 'i'), std::pair(std::string_view("ȷ"), 'j')})
    if (text.starts_with(dotless)) text.replace(0, dotless.size(), 1, dotted);
  if (text.empty()) {
    static constexpr std::pair<std::string_view, std::string_view> kAlone[] = {{"\u0303", "~"}, {"\u0302", "^"}, {"\u0301", "´"}, {"\u0300", "`"}, {"\u0308", "¨"}};
    for (const auto& [combining, alone] : kAlone)
      if (mark == combining) return std::string(alone);
    return {};
  }
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  const std::string pair = text.substr(0, size) + std::string(mark);
  utf8proc_uint8_t* composed = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(pair.data()), static_cast<utf8proc_ssize_t>(pair.size()), &composed, options);
  const auto release = [](utf8proc_uint8_t* bytes) { std::free(bytes); };
  const std::unique_ptr<utf8proc_uint8_t, decltype(release)> freeing(composed, release);
  if (length < 0) return text;
  return std::string(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(length)) + text.substr(size);
}

}  // namespace

void LatexConverter::command() {
  std::string name = in_.read_name(at_is_letter_);
  if (name.empty()) return;
  WordInfo info = find_word(name);
  // What gives a paper its structure keeps its meaning, whatever the paper makes it look like.
  if (info.word < Word::kHeading || info.word == Word::kDimension) {
    if (const auto macro = macros_.find(name); macro != macros_.end()) return expand(macro->second);
    if (const auto alias = aliases_.find(name); alias != aliases_.end()) info = find_word(name = alias->second);
  }
  if (info.word == Word::kUnknown) return unknown(name);
  run_word(name, info);
}

void LatexConverter::unknown(const std::string& name) {
  if (is_condition(name)) return condition(name);
  if (const auto flag = flag_of(name)) {
    flags_[flag->first] = flag->second;
    return;
  }
  in_.read_optional();
}

void LatexConverter::run_word(const std::string& name, const WordInfo& info) {
  switch (info.word) {
    case Word::kSymbol: return out_->text(info.text);
    case Word::kDrop: case Word::kKeep: return skip_arguments(info.text);
    case Word::kKeepFirst: return keep_first();
    case Word::kSpace: return out_->space();
    case Word::kParagraph: return end_paragraph();
    case Word::kLine: return line();
    case Word::kHeading: return heading(info.number);
    case Word::kRunIn: return run_in();
    case Word::kAccent: return out_->text(accented(info.text, convert_argument(in_.read_argument(at_is_letter_))));
    case Word::kCite: return mark("[cite]", "*oom");
    case Word::kReference: return mark("[ref]", "*m");
    case Word::kItem: return item();
    case Word::kBegin: return begin();
    case Word::kEnd: return end();
    case Word::kInput: return input(info.number);
    case Word::kMacro: return define();
    case Word::kDef: return define_primitive();
    case Word::kLet: return let();
    case Word::kOperator: return define_operator();
    case Word::kEnvironment: return define_environment();
    case Word::kTheorem: return define_theorem();
    case Word::kNewIf: return new_if();
    case Word::kTitle: return take_title();
    case Word::kAuthor: return take_authors();
    case Word::kAbstract: return take_abstract();
    case Word::kCaption: return caption(name);
    case Word::kFootnote: return footnote();
    case Word::kBibliography: return bibliography();
    case Word::kBibitem: return bibitem();
    case Word::kVerb: return verb(name);
    case Word::kShortVerb: return short_verb();
    case Word::kUrl: return out_->text(plain_url(in_.read_argument(at_is_letter_)));
    case Word::kHref: return skip_arguments("om");
    case Word::kEnsureMath: return ensure_math();
    case Word::kXspace: return xspace();
    case Word::kMath: return math(name == "[" ? "\\[" : "\\(", name == "[" ? "\\]" : "\\)", name == "[");
    case Word::kElse: return skip_branch(false);
    case Word::kIfThenElse: return if_then_else();
    case Word::kAtLetter: at_is_letter_ = info.number != 0; return;
    case Word::kEndInput: leave(); return;
    case Word::kBye: return end_plain();
    case Word::kAnd: return out_->text(in_authors_ ? kNextAuthor : " ");
    case Word::kCsname: return csname();
    case Word::kDimension: return dimension();
    default: return;
  }
}

void LatexConverter::skip_arguments(std::string_view kinds) {
  for (const char kind : kinds) {
    if (kind == '*') in_.take('*');
    if (kind == 'o') in_.read_optional();
    if (kind == 'm') in_.read_argument(at_is_letter_);
    if (kind == 'p' && in_.peek() == '(') {
      const std::string_view bytes = in_.rest().substr(0, 100);
      const std::size_t close = bytes.find(')');
      if (close != std::string_view::npos) in_.advance(close + 1);
    }
  }
}

void LatexConverter::keep_first() {
  std::string first = in_.read_argument(at_is_letter_);
  in_.read_argument(at_is_letter_);
  in_.push(shared(std::move(first)));
}

void LatexConverter::line() {
  skip_arguments("*o");
  if (in_authors_) out_->text(kNextLine);
  out_->line();
}

void LatexConverter::dimension() {
  const std::string_view bytes = in_.rest().substr(0, 60);
  std::size_t n = 0;
  const auto blanks = [&] { while (n < bytes.size() && bytes[n] == ' ') ++n; };
  if (n < bytes.size() && bytes[n] == '=') ++n;
  blanks();
  const std::size_t digits = n;
  while (n < bytes.size() && std::string_view("+-.,0123456789").find(bytes[n]) != std::string_view::npos) ++n;
  if (n == digits) return in_.advance(digits > 0 && bytes[0] == '=' ? digits : 0);
  blanks();
  for (const std::string_view unit : {"true", "pt", "pc", "in", "bp", "cm", "mm", "em", "ex", "sp", "mu", "fill", "fil"})
    if (bytes.substr(n).starts_with(unit)) n += unit.size();
  in_.advance(n);
  in_.skip_blanks();
  for (const std::string_view more : {"plus", "minus"}) {
    if (!in_.rest().starts_with(more)) continue;
    in_.advance(more.size());
    return dimension();
  }
}

void LatexConverter::heading(int level) {
  skip_arguments("*o");
  const std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
  end_paragraph();
  if (text.empty()) return;
  out_->text(std::string(static_cast<std::size_t>(level), '#') + ' ' + text);
  out_->paragraph();
}

void LatexConverter::run_in() {
  skip_arguments("*o");
  const std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
  end_paragraph();
  out_->text(text);
  out_->space();
}

void LatexConverter::mark(std::string_view text, std::string_view arguments) {
  skip_arguments(arguments);
  if (options_.mark_citations) out_->text(text);
}

void LatexConverter::item() {
  const auto label = in_.read_optional();
  in_.skip_blanks();
  int depth = 0;
  for (const auto& open : open_) depth += is_list(open.kind);
  OpenEnvironment* list = innermost_list();
  out_->line();
  if (depth > 1) out_->indent(2 * static_cast<std::size_t>(std::min(depth, 8) - 1));
  if (label && !label->empty()) {
    const std::string text = flat(convert_argument(*label));
    out_->text(list && list->kind == Environment::kDescription ? text + ": " : text + " ");
  } else {
    out_->text(list && list->kind == Environment::kEnumerate ? std::to_string(++list->item) + ". " : "- ");
  }
}

void LatexConverter::verb(const std::string& name) {
  in_.take('*');
  if (name != "verb") in_.read_optional();
  if (name == "mintinline") in_.read_argument(at_is_letter_);
  const int sign = in_.peek();
  if (sign < 0) return;
  if (sign == '{') return out_->text(plain_url(in_.read_argument(at_is_letter_)));
  const std::string_view bytes = in_.rest();
  const std::size_t end = std::min({bytes.find(static_cast<char>(sign), 1), bytes.find('\n', 1), bytes.size()});
  out_->text(bytes.substr(1, end - 1));
  in_.advance(std::min(end + 1, bytes.size()));
}

void LatexConverter::short_verb() {
  skip_arguments("*o");
  const std::string sign = in_.read_argument(at_is_letter_);
  const char last = sign.empty() ? '\0' : sign.back();
  if (last > ' ' && last < '\x7F' && !(last >= '0' && last <= '9') && !(last >= 'A' && last <= 'Z') && !(last >= 'a' && last <= 'z') && last != '\\' && last != '{' && last != '}') short_verbs_ += last;
}

std::string LatexConverter::plain_url(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\\' || i + 1 == text.size() || std::string_view("%#&_{}~$").find(text[i + 1]) == std::string_view::npos) out += text[i];
  return out;
}

void LatexConverter::xspace() {
  const int next = in_.peek();
  if (next >= 'a' && next <= 'z' ? true : (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9') || next == '\\' || next == '$' || next == '(') out_->space();
}

void LatexConverter::csname() {
  std::string name;
  while (name.size() < 100) {
    const int c = in_.peek();
    if (c < 0) return;
    in_.advance(1);
    if (c == '\\') {
      if (in_.read_name(at_is_letter_) == "endcsname") break;
      return;
    }
    name += static_cast<char>(c);
  }
  if (const auto macro = macros_.find(name); macro != macros_.end()) expand(macro->second);
}

}  // namespace flowrun::readers
