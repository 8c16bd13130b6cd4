#include "latex_text.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "tex_paper.hpp"
#include "tex_words.hpp"
#include "text_out.hpp"

namespace flowrun::readers {
namespace {

using Text = std::shared_ptr<const std::string>;

Text shared(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

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

std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

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

/// A command that the paper defines.
struct Macro {
  int arguments = 0;
  std::optional<std::string> first_default;  ///< of an optional first argument
  Text body;
};

/// Puts arguments in the place of #1 to #9; "##" is "#".
std::string substitute(std::string_view body, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t mark = std::min(body.find('#', at), body.size());
    out += body.substr(at, mark - at);
    at = mark + 2;
    if (mark + 1 >= body.size()) break;
    const char next = body[mark + 1];
    if (next == '#') out += '#';
    else if (next >= '1' && next <= '9' && static_cast<std::size_t>(next - '1') < arguments.size()) out += arguments[static_cast<std::size_t>(next - '1')];
  }
  return out;
}

/// An environment of the paper that is open.
struct OpenEnvironment {
  std::string name;
  Environment kind = Environment::kUnknown;
  Text end_body;             ///< what the paper's own environment ends with
  TextOut* outer = nullptr;  ///< where text goes after it, if it goes elsewhere inside
  std::unique_ptr<TextOut> inner;
  std::vector<std::string> captions;
  int item = 0;
};

class Converter {
 public:
  Converter(const std::string& main, const FindTex& find, const LatexOptions& options) : find_(find), options_(options), main_(main), in_(options.max_expanded_bytes) {}

  void run(LatexDocument& document) {
    document_ = &document;
    const Text source = find_(main_);
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

 private:
  // ------------------------------------------------------------------------------------------------ the loop
  void convert() {
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

  void special(std::string_view bytes) {
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

  void comment() {
    in_.skip_comment();
    if (in_.peek() == '\n') end_paragraph();  // the line behind the comment's is blank
  }

  void blanks(std::string_view bytes) {
    std::size_t n = 0, lines = 0;
    for (; n < bytes.size() && (bytes[n] == ' ' || bytes[n] == '\t' || bytes[n] == '\r' || bytes[n] == '\n'); ++n) lines += bytes[n] == '\n';
    in_.advance(n);
    if (lines > 1) end_paragraph();
    else out_->space();
  }

  void quote(std::string_view bytes, char sign, std::string_view two, std::string_view one) {
    const bool both = bytes.size() > 1 && bytes[1] == sign;
    out_->text(both ? two : one);
    in_.advance(both ? 2 : 1);
  }

  void dash(std::string_view bytes) {
    static constexpr std::string_view kDashes[] = {"-", "–", "—"};
    std::size_t n = 1;
    while (n < 3 && n < bytes.size() && bytes[n] == '-') ++n;
    out_->text(kDashes[n - 1]);
    in_.advance(n);
  }

  /// Ends a paragraph; its footnotes follow it.
  void end_paragraph() {
    out_->paragraph();
    if (notes_.empty() || out_ != &body_) return;
    for (std::string& note : std::exchange(notes_, {})) {
      out_->text(note);
      out_->paragraph();
    }
  }

  // ------------------------------------------------------------------------------------------------ commands
  void command() {
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

  void unknown(const std::string& name) {
    if (is_condition(name)) return condition(name);
    if (const auto flag = flag_of(name)) {
      flags_[flag->first] = flag->second;
      return;
    }
    in_.read_optional();
  }

  void run_word(const std::string& name, const WordInfo& info) {
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

  void skip_arguments(std::string_view kinds) {
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

  void keep_first() {
    std::string first = in_.read_argument(at_is_letter_);
    in_.read_argument(at_is_letter_);
    in_.push(shared(std::move(first)));
  }

  void line() {
    skip_arguments("*o");
    if (in_authors_) out_->text(kNextLine);
    out_->line();
  }

  /// Passes over "=12pt plus 1fil", "to 3cm", "3.5\baselineskip" as far as they are there.
  void dimension() {
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

  void heading(int level) {
    skip_arguments("*o");
    const std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
    end_paragraph();
    if (text.empty()) return;
    out_->text(std::string(static_cast<std::size_t>(level), '#') + ' ' + text);
    out_->paragraph();
  }

  void run_in() {
    skip_arguments("*o");
    const std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
    end_paragraph();
    out_->text(text);
    out_->space();
  }

  void mark(std::string_view text, std::string_view arguments) {
    skip_arguments(arguments);
    if (options_.mark_citations) out_->text(text);
  }

  void item() {
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

  void verb(const std::string& name) {
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

  /// \MakeShortVerb{\|}: |...| is then as \verb|...|.
  void short_verb() {
    skip_arguments("*o");
    const std::string sign = in_.read_argument(at_is_letter_);
    const char last = sign.empty() ? '\0' : sign.back();
    if (last > ' ' && last < '\x7F' && !(last >= '0' && last <= '9') && !(last >= 'A' && last <= 'Z') && !(last >= 'a' && last <= 'z') && last != '\\' && last != '{' && last != '}') short_verbs_ += last;
  }

  /// Takes the backslashes of an address away that only keep TeX from reading it.
  static std::string plain_url(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] != '\\' || i + 1 == text.size() || std::string_view("%#&_{}~$").find(text[i + 1]) == std::string_view::npos) out += text[i];
    return out;
  }

  void xspace() {
    const int next = in_.peek();
    if (next >= 'a' && next <= 'z' ? true : (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9') || next == '\\' || next == '$' || next == '(') out_->space();
  }

  void csname() {
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

  // ------------------------------------------------------------------------------------------------ definitions
  void expand(const Macro& macro) {
    if (macro.arguments == 0) return in_.push(macro.body);
    in_.push(shared(substitute(*macro.body, read_arguments(macro))));
  }

  std::vector<std::string> read_arguments(const Macro& macro) {
    std::vector<std::string> arguments;
    if (macro.first_default) {
      in_.skip_blanks();
      arguments.push_back(in_.read_optional().value_or(*macro.first_default));
    }
    while (static_cast<int>(arguments.size()) < macro.arguments) arguments.push_back(in_.read_argument(at_is_letter_));
    return arguments;
  }

  /// Reads "[n][default]{body}".
  Macro read_definition() {
    Macro macro;
    in_.skip_blanks();
    if (const auto count = in_.read_optional()) macro.arguments = std::clamp(std::atoi(count->c_str()), 0, 9);
    in_.skip_blanks();
    if (macro.arguments > 0) macro.first_default = in_.read_optional();
    macro.body = shared(in_.read_argument(at_is_letter_));
    return macro;
  }

  /// Returns the name in "{\name}" or "\name".
  std::string read_macro_name() {
    in_.skip_blanks();
    in_.take('*');
    const std::string name = in_.read_argument(at_is_letter_);
    const std::string_view trimmed = trim(name);
    return std::string(trimmed.starts_with('\\') ? trimmed.substr(1) : std::string_view());
  }

  void define() {
    const std::string name = read_macro_name();
    Macro macro = read_definition();
    if (!name.empty()) macros_[name] = std::move(macro);
  }

  /// \def\name#1#2{body}. Where anything but #1, #2... stands between name and body, the command is not expanded.
  void define_primitive() {
    const std::string name = read_macro_name();
    int arguments = 0;
    bool simple = true;
    for (int c = in_.peek(); c >= 0 && c != '{'; c = in_.peek()) {
      in_.advance(1);
      if (c == '#' && in_.peek() == '1' + arguments) {
        in_.advance(1);
        ++arguments;
      } else {
        simple = false;
      }
    }
    Macro macro{arguments, std::nullopt, shared(in_.read_argument(at_is_letter_))};
    if (!name.empty() && simple) macros_[name] = std::move(macro);
    else macros_.erase(name);
  }

  void let() {
    const std::string name = read_macro_name();
    in_.skip_blanks();
    if (in_.take('=')) in_.skip_blanks();
    const std::string value = in_.read_argument(at_is_letter_);
    if (name.empty() || value == "\\" + name) return;
    if (!value.starts_with('\\')) {
      macros_[name] = {0, std::nullopt, shared(value)};
    } else if (const auto macro = macros_.find(value.substr(1)); macro != macros_.end()) {
      macros_[name] = Macro(macro->second);  // a copy: the place of what it is copied from may move
    } else {
      // What LaTeX itself has keeps its meaning under the new name, when the paper gives the old one another.
      macros_.erase(name);
      const auto alias = aliases_.find(value.substr(1));
      aliases_[name] = std::string(alias == aliases_.end() ? value.substr(1) : alias->second);
    }
  }

  void define_operator() {
    const std::string name = read_macro_name();
    const std::string text = in_.read_argument(at_is_letter_);
    if (!name.empty()) macros_[name] = {0, std::nullopt, shared("\\operatorname{" + text + "}")};
  }

  void define_environment() {
    in_.take('*');
    const std::string name = in_.read_argument(at_is_letter_);
    Macro begins = read_definition();
    Text ends = shared(in_.read_argument(at_is_letter_));
    const Environment known = find_environment(name).environment;
    if (known == Environment::kUnknown || known == Environment::kBlock) environments_[name] = {std::move(begins), std::move(ends)};
  }

  void define_theorem() {
    in_.take('*');
    const std::string name = in_.read_argument(at_is_letter_);
    in_.read_optional();
    theorems_[name] = flat(convert_argument(in_.read_argument(at_is_letter_)));
    in_.read_optional();
  }

  // ------------------------------------------------------------------------------------------------ conditions
  void new_if() {
    const std::string name = read_macro_name();
    if (name.starts_with("if")) flags_[name.substr(2)] = false;
  }

  /// Returns what \nametrue and \namefalse set, for a name that \newif has made.
  std::optional<std::pair<std::string, bool>> flag_of(const std::string& name) const {
    for (const auto& [suffix, value] : {std::pair(std::string_view("true"), true), std::pair(std::string_view("false"), false)})
      if (name.ends_with(suffix))
        if (std::string flag = name.substr(0, name.size() - suffix.size()); flags_.contains(flag)) return std::pair(std::move(flag), value);
    return std::nullopt;
  }

  /// Returns whether \fi ends what begins here: TeX's own conditions, those of engines, and what \newif makes. Others (\ifblank) take their branches as arguments.
  bool is_condition(std::string_view name) const {
    static constexpr std::array<std::string_view, 29> kKnown = {"if", "ifcat", "ifnum", "ifdim", "ifodd", "ifvmode", "ifhmode", "ifmmode", "ifinner", "ifvoid", "ifhbox", "ifvbox", "ifx", "ifeof", "iftrue", "iffalse", "ifcase",
                                                                "ifdefined", "ifcsname", "iffontchar", "ifpdf", "ifPDFTeX", "ifpdftex", "ifxetex", "ifXeTeX", "ifluatex", "ifLuaTeX", "ifvtex", "ifPDF"};
    if (!name.starts_with("if")) return false;
    return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end() || name.starts_with("if@") || flags_.contains(std::string(name.substr(2)));
  }

  /// A condition that is not known is taken as false.
  void condition(const std::string& name) {
    const auto flag = flags_.find(name.substr(2));
    const bool holds = name == "iftrue" || (flag != flags_.end() && flag->second);
    if (!holds) skip_branch(true);
  }

  /// Passes over a branch: to its \fi, or to its \else where that ends it. A branch that nothing ends within this text is no branch: the rest is kept.
  void skip_branch(bool may_end_at_else) {
    const std::string_view bytes = in_.rest();
    if (failed_bytes_ > kMaxFailedBytes) return;
    int depth = 0;
    for (std::size_t at = 0; (at = bytes.find_first_of("\\%", at)) != std::string_view::npos;) {
      if (bytes[at] == '%') {
        at = std::min(bytes.find('\n', at), bytes.size());
        continue;
      }
      const std::string_view name = name_at(bytes, ++at);
      at += std::max<std::size_t>(name.size(), 1);
      const bool ends = depth == 0 && (name == "fi" || (may_end_at_else && (name == "else" || name == "or")));
      if (ends) {
        in_.advance(std::min(at, bytes.size()));
        return in_.skip_blanks();
      }
      if (name == "fi") --depth;
      else if (name == "newif") at += 1 + name_at(bytes, at + 1).size();
      else if (is_condition(name)) ++depth;
    }
    failed_bytes_ += bytes.size();
  }

  std::string_view name_at(std::string_view bytes, std::size_t at) const noexcept {
    std::size_t end = std::min(at, bytes.size());
    while (end < bytes.size() && (letter(static_cast<unsigned char>(bytes[end])) || (at_is_letter_ && bytes[end] == '@'))) ++end;
    return bytes.substr(std::min(at, bytes.size()), end - std::min(at, bytes.size()));
  }

  void if_then_else() {
    skip_arguments("mm");
    in_.push(shared(in_.read_argument(at_is_letter_)));
  }

  // ------------------------------------------------------------------------------------------------ files
  void input(int arguments) {
    std::string folder;
    in_.take('*');
    if (arguments == 2) folder = in_.read_argument(at_is_letter_) + "/";
    in_.skip_blanks();
    std::string name;
    if (in_.peek() == '{') {
      name = in_.read_argument(at_is_letter_);
    } else {
      const std::string_view bytes = in_.rest();
      const std::size_t end = std::min(bytes.find_first_of(" \t\r\n\\{}%"), bytes.size());
      name = bytes.substr(0, end);
      in_.advance(end);
    }
    open_file(folder + std::string(trim(name)));
  }

  void open_file(const std::string& written) {
    std::string name = written;
    if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    if (trim(name).empty()) return;
    const std::size_t slash = main_.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : main_.substr(0, slash + 1);
    for (const std::string& candidate : {folder + name + ".tex", folder + name, name + ".tex", name}) {
      const std::string found = normal_name(candidate);
      if (in_.is_open(found)) return;  // TeX would never end
      if (const Text text = find_(found)) {
        if (in_.open_files() >= TexInput::kMaxFiles) throw LatexFault{"too_deep", "inputs stand in each other more than " + std::to_string(TexInput::kMaxFiles) + " deep"};
        return in_.push(text, TexInput::Kind::kFile, found);
      }
    }
    constexpr std::size_t kMaxMissing = 100;
    if (document_->missing.size() < kMaxMissing) document_->missing.push_back(name);
  }

  /// Ends the innermost file; that of the main file ends the paper.
  void leave() {
    if (argument_depth_ > 0 || !in_.leave_file()) stopped_ = true;
  }

  // ------------------------------------------------------------------------------------------------ environments
  static bool is_list(Environment kind) noexcept { return kind == Environment::kItemize || kind == Environment::kEnumerate || kind == Environment::kDescription; }

  OpenEnvironment* innermost_list() noexcept {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open)
      if (is_list(open->kind)) return &*open;
    return nullptr;
  }
  OpenEnvironment* innermost_float() noexcept {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open)
      if (open->kind == Environment::kFloat) return &*open;
    return nullptr;
  }
  bool in_tabular() const noexcept { return !open_.empty() && open_.back().kind == Environment::kTabular; }

  void begin() {
    const std::string name = in_.read_argument(at_is_letter_);
    if (const auto own = environments_.find(name); own != environments_.end()) return begin_own(name, own->second.first, own->second.second);
    if (const auto theorem = theorems_.find(name); theorem != theorems_.end()) return begin_theorem(name, theorem->second);
    const EnvironmentInfo info = find_environment(name);
    switch (info.environment) {
      case Environment::kDocument: return begin_document();
      case Environment::kMath: return math("\\begin{" + name + "}", name, true, true);
      case Environment::kVerbatim: return verbatim(name);
      case Environment::kSkipped: return skip_environment(name);
      case Environment::kBibliography:
        if (!options_.bibliography) return skip_environment(name);
        skip_arguments("m");
        end_paragraph();
        out_->text("## References");
        out_->paragraph();
        open(name, info.environment);
        return;
      default: break;
    }
    if (info.environment == Environment::kFloat) in_.read_optional();
    skip_arguments(info.arguments);
    if (info.environment != Environment::kUnknown && info.environment != Environment::kTabular) end_paragraph();
    if (info.environment == Environment::kTabular) out_->line();
    OpenEnvironment& opened = open(name, info.environment);
    if (info.environment == Environment::kFloat || info.environment == Environment::kAbstract) redirect(opened);
    if (info.environment == Environment::kProof) out_->text("Proof."), out_->space();
  }

  OpenEnvironment& open(std::string name, Environment kind) {
    if (open_.size() >= TexInput::kMaxDepth) throw LatexFault{"too_deep", "environments stand in each other more than " + std::to_string(TexInput::kMaxDepth) + " deep"};
    open_.push_back({});
    open_.back().name = std::move(name);
    open_.back().kind = kind;
    return open_.back();
  }

  void redirect(OpenEnvironment& opened) {
    opened.inner = std::make_unique<TextOut>();
    opened.outer = std::exchange(out_, opened.inner.get());
  }

  void begin_document() {
    ++documents_;
    if (in_body_) return;
    in_body_ = true;
    if (out_ == &nowhere_) out_ = &body_;
  }

  void begin_own(const std::string& name, const Macro& begins, const Text& ends) {
    Text body = begins.arguments == 0 ? begins.body : shared(substitute(*begins.body, read_arguments(begins)));
    open(name, Environment::kUnknown).end_body = ends;
    in_.push(std::move(body));
  }

  void begin_theorem(const std::string& name, const std::string& title) {
    const auto note = in_.read_optional();
    end_paragraph();
    out_->text(title + (note ? " (" + flat(convert_argument(*note)) + ")." : "."));
    out_->space();
    open(name, Environment::kBlock);
  }

  void end() {
    if (in_.peek() != '{') return end_plain();
    const std::string name = in_.read_argument(at_is_letter_);
    if (name == "document") return end_document();
    std::size_t at = open_.size();
    while (at > open_floor_ && open_[at - 1].name != name) --at;
    if (at > open_floor_) close_environments(at - 1);
  }

  /// A document within the document is a subfile, whose file ends here, or an example.
  void end_document() {
    if (in_body_ && (--documents_ <= 0 || in_.open_files() > 1)) leave();
  }

  /// \bye and \end end plain TeX; in LaTeX they stand in examples.
  void end_plain() {
    if (in_body_ && documents_ == 0) leave();
  }

  void close_environments(std::size_t size) {
    while (open_.size() > size) {
      OpenEnvironment closed = std::move(open_.back());
      open_.pop_back();
      close(closed);
    }
  }

  void close(OpenEnvironment& closed) {
    if (closed.outer) out_ = closed.outer;
    switch (closed.kind) {
      case Environment::kUnknown: break;
      case Environment::kTabular: out_->line(); break;
      case Environment::kFloat:
        if (at_end_) out_->paragraph(), out_->text(closed.inner->take());  // nothing has closed it: what follows it is no part of it
        for (const std::string& text : closed.captions) {
          out_->paragraph();
          out_->text(text);
        }
        end_paragraph();
        break;
      case Environment::kAbstract: {
        const std::string text = closed.inner->take();
        if (abstract_.empty()) abstract_ = text;
        if (out_ == &nowhere_) preamble_abstract_ = text;
        out_->paragraph();
        out_->text(text);
        end_paragraph();
        break;
      }
      default: end_paragraph();
    }
    if (closed.end_body) in_.push(closed.end_body);
  }

  /// Returns where "\end{name}" stands in the text that is read; its size where it does not.
  static std::size_t find_end(std::string_view bytes, const std::string& ending) { return std::min(bytes.find(ending), bytes.size()); }

  void skip_environment(const std::string& name) {
    const std::string ending = "\\end{" + name + "}";
    const std::string_view bytes = in_.rest();
    in_.advance(std::min(find_end(bytes, ending) + ending.size(), bytes.size()));
  }

  void verbatim(const std::string& name) {
    in_.read_optional();
    if (name == "minted") in_.read_argument(at_is_letter_);
    const std::string ending = "\\end{" + name + "}";
    const std::string_view bytes = in_.rest();
    const std::size_t end = find_end(bytes, ending);
    std::string_view text = bytes.substr(0, end);
    while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
    while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
    out_->paragraph();
    out_->text(text);
    out_->paragraph();
    in_.advance(std::min(end + ending.size(), bytes.size()));
  }

  // ------------------------------------------------------------------------------------------------ what becomes a column or a note
  void take_title() {
    in_.read_optional();
    std::string text = convert_argument(in_.read_argument(at_is_letter_));
    if (title_.empty()) title_ = std::move(text);
  }

  /// An author is the first line of what stands between \and.
  void take_authors() {
    in_.read_optional();
    const bool outer = std::exchange(in_authors_, true);
    const std::string text = convert_argument(in_.read_argument(at_is_letter_));
    in_authors_ = outer;
    constexpr std::size_t kMaxAuthors = 10000;
    for (std::size_t at = 0; at < text.size() && authors_.size() < kMaxAuthors;) {
      const std::size_t end = std::min(text.find(kNextAuthor, at), text.size());
      std::string name = text.substr(at, end - at);
      at = end + kNextAuthor.size();
      const std::string_view first = trim(std::string_view(name).substr(0, name.find(kNextLine)));
      if (!first.empty()) authors_.push_back(flat(std::string(first)));
    }
  }

  void take_abstract() {
    in_.skip_blanks();
    if (in_.peek() != '{') return;
    const std::string text = convert_argument(in_.read_argument(at_is_letter_));
    if (abstract_.empty()) abstract_ = text;
    if (out_ == &nowhere_) preamble_abstract_ = text;
    out_->paragraph();
    out_->text(text);
    end_paragraph();
  }

  void caption(const std::string& name) {
    in_.take('*');
    if (name == "captionof") in_.read_argument(at_is_letter_);
    in_.read_optional();
    std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
    if (!options_.captions || text.empty()) return;
    if (OpenEnvironment* figure = innermost_float()) {
      figure->captions.push_back(std::move(text));
      return;
    }
    out_->paragraph();
    out_->text(text);
    out_->paragraph();
  }

  void footnote() {
    in_.read_optional();
    std::string text = convert_argument(in_.read_argument(at_is_letter_));
    if (!text.empty() && out_ != &nowhere_) notes_.push_back(std::move(text));
  }

  void bibliography() {
    in_.read_argument(at_is_letter_);
    if (!options_.bibliography) return;
    const std::string name = main_.substr(0, main_.rfind('.')) + ".bbl";
    if (const Text text = find_(normal_name(name))) in_.push(text, TexInput::Kind::kFile, name);
  }

  void bibitem() {
    skip_arguments("om");
    in_.skip_blanks();
    out_->line();
    out_->text("- ");
  }

  // ------------------------------------------------------------------------------------------------ mathematics
  void dollar() {
    in_.advance(1);
    if (in_.take('$')) return math("$$", "$$", true);
    math("$", "$", false);
  }

  void ensure_math() {
    if (const std::string inside = in_.read_argument(at_is_letter_); options_.keep_math) {
      in_.push(shared(inside + "$"));
      math("$", "$", false);
    }
  }

  /// Reads mathematics to its end (`end` is an environment's name where `environment`), expands the paper's commands in it and writes it.
  void math(const std::string& start, const std::string& end, bool display, bool environment = false) {
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

  std::string read_math(const std::string& end, bool environment, bool& closed) {
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

  /// Passes over blanks, writes one; returns whether there was a blank line.
  bool math_blanks(std::string& out) {
    const std::string_view bytes = in_.rest();
    std::size_t n = 0, lines = 0;
    for (; n < bytes.size() && (bytes[n] == ' ' || bytes[n] == '\t' || bytes[n] == '\r' || bytes[n] == '\n'); ++n) lines += bytes[n] == '\n';
    in_.advance(n);
    if (!out.empty() && out.back() != ' ') out += ' ';
    return lines > 1;
  }

  /// Reads a command in mathematics; returns whether it is the end of it.
  bool math_command(const std::string& end, bool environment, int& nested, std::string& out) {
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

  static bool letter(int c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  /// Returns whether the text ends in a command of letters.
  static bool ends_in_word(const std::string& text) noexcept {
    std::size_t at = text.size();
    while (at > 0 && letter(static_cast<unsigned char>(text[at - 1]))) --at;
    return at < text.size() && at > 0 && text[at - 1] == '\\';
  }

  // ------------------------------------------------------------------------------------------------ arguments
  /// Converts an argument by itself.
  std::string convert_argument(std::string argument) {
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

  /// Makes one line of a text.
  static std::string flat(std::string text) {
    std::string out;
    for (const char c : text) {
      const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == kNextLine[0] || c == kNextAuthor[0];
      if (!blank) out += c;
      else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
  }

  static constexpr std::size_t kMaxFailedBytes = 64 << 20;  // of searches for an end that is not there, so that many of them stay linear
  static constexpr std::string_view kNextAuthor = "\x1E", kNextLine = "\x1F";  // no text has them: separators of records and units

  const FindTex& find_;
  const LatexOptions& options_;
  const std::string main_;
  LatexDocument* document_ = nullptr;
  TexInput in_;
  TextOut body_, nowhere_;
  TextOut* out_ = nullptr;
  std::unordered_map<std::string, Macro> macros_;
  std::unordered_map<std::string, std::pair<Macro, Text>> environments_;
  std::unordered_map<std::string, std::string> theorems_;
  std::unordered_map<std::string, bool> flags_;
  std::unordered_map<std::string, std::string> aliases_;  ///< of commands that LaTeX itself has
  std::vector<OpenEnvironment> open_;
  std::size_t open_floor_ = 0;  ///< environments below belong to what an argument stands in
  std::vector<std::string> notes_, authors_;
  std::string title_, abstract_, preamble_abstract_;
  std::string short_verbs_;  ///< signs that \MakeShortVerb has made
  std::size_t failed_bytes_ = 0;
  int argument_depth_ = 0, documents_ = 0;
  bool in_body_ = false, stopped_ = false, at_end_ = false, at_is_letter_ = false, in_authors_ = false;
};

}  // namespace

std::optional<LatexFault> latex_to_text(const std::string& main, const FindTex& find, const LatexOptions& options, LatexDocument& out) {
  try {
    Converter(main, find, options).run(out);
    return std::nullopt;
  } catch (LatexFault& fault) {
    return std::move(fault);
  }
}

}  // namespace flowrun::readers
