#include "wikitext.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "readers/common/html_entities.hpp"
#include "tags.hpp"
#include "templates.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Brackets that are open at once. A bracket beyond them is text; a page that needs more is damaged.
constexpr std::size_t kMaxDepth = 200;
/// Arguments of one template that are told apart; no template of the table has as many.
constexpr std::size_t kMaxParts = 40;

enum class Kind : std::uint8_t { kBraces, kLink, kExternal, kTable, kHtmlTable, kVariant };

/// An open bracket. Positions are those of the output.
struct Frame {
  Kind kind;
  std::size_t begin;             ///< of the bracket as text
  std::size_t width;             ///< of the bracket: the number of braces
  std::size_t first_part;        ///< in the stack of parts
  std::size_t first_quote;       ///< in the list of quotes of its line
  std::size_t line;              ///< in which it opened
  bool hidden = false;           ///< links: nothing of it is shown
  std::size_t cell = kNone;      ///< tables: where the cell begins whose attributes may come
  std::size_t attributes = kNone;  ///< tables: the rest of the line is attributes, from here
  std::size_t row = 0;             ///< tables: where the row begins
  bool header = false;           ///< tables: the line is one of header cells, which "!!" divides
};

/// What stands between two bars of a bracket.
struct Part {
  std::size_t begin;
  std::size_t equals = kNone;  ///< the position of its first '='
};

/// A run of two, three or five apostrophes of this line.
struct Quote {
  std::size_t at;
  int marks;
  bool after_space, after_letter;  ///< behind a space; behind a word of one letter
};

constexpr std::array<bool, 256> special_characters() {
  std::array<bool, 256> special{};
  for (const char c : {'\n', '{', '}', '[', ']', '|', '=', '<', '&', '\'', '_', '-', '!'}) special[static_cast<unsigned char>(c)] = true;
  return special;
}
constexpr auto kSpecial = special_characters();

bool begins_url(std::string_view text) noexcept {
  for (const std::string_view scheme : {"http://", "https://", "//", "ftp://", "ftps://", "mailto:", "irc://", "ircs://", "news:", "git://", "sftp://", "ssh://", "tel:",
                                        "urn:", "geo:", "magnet:", "bitcoin:", "gopher://", "svn://", "telnet://", "worldwind://", "xmpp:", "HTTP://", "Http://"})
    if (text.starts_with(scheme)) return true;
  return false;
}

}  // namespace

struct WikitextParser::Impl {
  Impl(WikitextOptions options_in, LinkPrefixes prefixes_in) : options(options_in), prefixes(std::move(prefixes_in)) {}

  // ---------------------------------------------------------------- the page

  void convert() {
    at = 0;
    out.clear();
    frames.clear();
    parts.clear();
    quotes.clear();
    open_braces = line = 0;
    item_begin = item_end = gap = heading_end = kNone;
    verbatim_end = 0;
    no_closing.reset();
    no_comment_end = false;
    start_line();
    while (at < in.size()) {
      std::size_t end = at;
      while (end < in.size() && !kSpecial[static_cast<unsigned char>(in[end])]) ++end;
      if (end > at) write(in.substr(std::exchange(at, end), end - at));
      else step();
    }
    end_line();
    while (out.size() > verbatim_end && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  }

  void step() {
    switch (in[at]) {
      case '\n': return newline();
      case '{': return open_brace();
      case '}': return close_brace();
      case '[': return open_bracket();
      case ']': return close_bracket();
      case '|': return bar();
      case '=': return equals();
      case '<': return angle();
      case '&': return entity();
      case '\'': return apostrophes();
      case '_': return underscore();
      case '-': return hyphen();
      default: return exclamation();
    }
  }

  // ---------------------------------------------------------------- output

  char peek(std::size_t ahead) const noexcept { return at + ahead < in.size() ? in[at + ahead] : '\0'; }
  std::size_t run_of(char c) const noexcept { return std::min(in.find_first_not_of(c, at), in.size()) - at; }
  void take(std::size_t count) { write(in.substr(std::exchange(at, at + count), count)); }
  bool at_line_start() const noexcept { return out.empty() || out.back() == '\n'; }

  void write(std::string_view text) {
    if (gap == out.size()) text = close_gap(text);
    out += text;
  }

  /// Joins the text to what stands before something that was dropped: no second space, no "(, " and no "()".
  std::string_view close_gap(std::string_view text) {
    gap = kNone;
    if (out.ends_with("( ")) out.pop_back();
    const bool inside = out.ends_with('(') || out.ends_with("（");
    if (inside || out.ends_with(' ') || out.ends_with('\t') || at_line_start()) text.remove_prefix(std::min(text.find_first_not_of(inside ? " ,;" : " "), text.size()));
    if (text.empty()) gap = out.size();
    if (!inside || text.empty()) return text;
    const std::size_t mark = out.ends_with('(') && text.starts_with(')') ? 1 : out.ends_with("（") && text.starts_with("）") ? 3 : 0;
    if (mark == 0) return text;
    text.remove_prefix(mark);
    out.resize(out.size() - mark);
    const bool spaced = text.empty() || text.front() == ' ' || text.front() == ',' || text.front() == '.' || text.front() == ';' || text.front() == ':';
    if (spaced && out.ends_with(' ')) out.pop_back();
    return text;
  }

  /// Takes back what was written from `size` on.
  void cut(std::size_t size) {
    if (size >= out.size()) return;
    out.resize(size);
    verbatim_end = std::min(verbatim_end, size);
    if (item_end != kNone && size < item_end) item_begin = item_end = kNone;
    gap = size;
  }

  void trim_line() {
    const bool in_table = !frames.empty() && frames.back().kind == Kind::kTable;
    while (out.size() > verbatim_end && (out.back() == ' ' || (out.back() == '\t' && !in_table))) out.pop_back();
  }

  /// Begins a new line of the output, where it has not begun.
  void break_line() {
    trim_line();
    if (!at_line_start()) out += '\n';
    gap = out.size();
  }

  // ---------------------------------------------------------------- lines

  void newline() {
    const bool paragraph_ends = peek(1) == '\n';
    end_line(paragraph_ends);
    trim_line();
    const bool empty_item = item_end != kNone && out.size() <= item_end;
    if (empty_item) out.resize(item_begin);
    else if (!out.empty() && !out.ends_with("\n\n")) out += '\n';
    item_begin = item_end = kNone;
    ++at;
    start_line();
  }

  /// Ends what cannot go on in the next line.
  void end_line(bool paragraph_ends = true) {
    while (!frames.empty()) {
      Frame& top = frames.back();
      const bool target = top.kind == Kind::kLink && parts.size() == top.first_part + 1;
      const bool broken = top.kind == Kind::kExternal || target || (paragraph_ends && top.kind == Kind::kLink && !top.hidden);
      if (!broken) break;
      pop();
    }
    if (!frames.empty() && frames.back().kind == Kind::kTable) {
      cut(std::exchange(frames.back().attributes, kNone));
      frames.back().header = false;
      frames.back().cell = kNone;
    }
    balance_quotes();
    quotes.clear();
    ++line;
    heading_end = kNone;
  }

  void start_line() {
    const std::size_t first = in.find_first_not_of(" \t", at);
    if (first == kNone) return;
    const bool in_table = !frames.empty() && frames.back().kind == Kind::kTable;
    if (in_table && (in[first] == '|' || in[first] == '!')) return table_line(first);
    if (const std::size_t colons = in.find_first_not_of(": \t", at); colons != kNone && in.substr(colons).starts_with("{|") && !in.substr(colons).starts_with("{|}"))
      return open_table(colons);
    switch (in[at]) {
      case '=': return heading();
      case '*':
      case '#':
      case ';':
      case ':': return list_item();
      case '-':
        if (const std::size_t run = run_of('-'); run >= 4) at += run;
        return;
      default: return;
    }
  }

  /// A heading's line ends with as many equals signs as it begins with; comments may follow.
  void heading() {
    std::size_t end = std::min(in.find('\n', at), in.size());
    const std::size_t line_end = end;
    while (end > at) {
      if (in[end - 1] == ' ' || in[end - 1] == '\t') {
        --end;
      } else if (in.substr(at, end - at).ends_with("-->")) {
        const std::size_t comment = in.substr(at, end - at).rfind("<!--");
        if (comment == kNone) break;
        end = at + comment;
      } else {
        break;
      }
    }
    std::size_t level = std::min<std::size_t>(run_of('='), 6), closing = 0;
    while (closing < level && end - closing > at && in[end - closing - 1] == '=') ++closing;
    level = std::min(level, closing);
    if (level == 0 || end - at <= 2 * level) return;
    if (!options.headings) {
      at = line_end;
      return;
    }
    at += level;
    gap = out.size();
    heading_end = end - level;
    heading_line_end = line_end;
  }

  /// Bullets and numbers become "- ", indented by their depth; the marks of definitions and indentation go.
  void list_item() {
    const std::size_t end = std::min(in.find_first_not_of("*#:;", at), in.size());
    const auto bullets = static_cast<std::size_t>(std::count_if(in.begin() + static_cast<std::ptrdiff_t>(at), in.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c == '*' || c == '#'; }));
    const bool bullet = in[end - 1] == '*' || in[end - 1] == '#';
    at = std::min(in.find_first_not_of(" \t", end), in.size());
    if (!bullet) return;
    item_begin = out.size();
    out.append(2 * (std::min<std::size_t>(bullets, 8) - 1), ' ');
    out += "- ";
    item_end = out.size();
    gap = out.size();
  }

  // ---------------------------------------------------------------- brackets

  bool push(Kind kind, std::size_t width) {
    if (frames.size() == kMaxDepth) return false;
    frames.push_back({kind, out.size(), width, parts.size(), quotes.size(), line});
    if (kind == Kind::kBraces) ++open_braces;
    return true;
  }

  /// Forgets the innermost bracket; what was written of it stays.
  void pop() {
    if (frames.back().kind == Kind::kBraces) --open_braces;
    parts.resize(frames.back().first_part);
    frames.pop_back();
  }

  /// Opens a bracket whose text is the next `width` bytes.
  void open(Kind kind, std::size_t width) {
    const bool opened = push(kind, width);
    gap = kNone;
    take(width);
    if (opened) parts.push_back({out.size()});
  }

  std::string_view text_of(std::size_t begin, std::size_t end) const noexcept {
    begin = std::min(begin, out.size());
    return std::string_view(out).substr(begin, std::max(begin, std::min(end, out.size())) - begin);
  }
  std::size_t part_count(const Frame& frame) const noexcept { return parts.size() - frame.first_part; }
  std::string_view part(const Frame& frame, std::size_t index) const noexcept {
    const std::size_t next = frame.first_part + index + 1;
    return text_of(parts[next - 1].begin, next < parts.size() ? parts[next].begin - 1 : out.size());
  }

  /// Puts `result` in the place of everything from `begin` on, which belongs to the innermost bracket.
  void replace(std::size_t begin, std::string_view result) {
    quotes.resize(frames.back().line == line ? std::min(quotes.size(), frames.back().first_quote) : 0);
    cut(begin);
    if (result.empty()) return;
    gap = kNone;
    out += result;
  }

  void open_brace() {
    if (const std::size_t run = run_of('{'); run >= 2) open(Kind::kBraces, run);
    else take(1);
  }

  void close_brace() {
    std::size_t run = run_of('}');
    if (run == 1 && peek(1) == '-' && !frames.empty() && frames.back().kind == Kind::kVariant) return close_variant();
    while (run >= 2 && open_braces > 0) {
      while (frames.back().kind != Kind::kBraces) pop();  // brackets that a template's end leaves open
      const std::size_t closed = std::min({run, frames.back().width, std::size_t{3}});
      finish_braces(closed);
      at += closed;
      run -= closed;
    }
    if (run > 0) take(run);
  }

  /// Ends the innermost of the braces' templates (two) or parameters (three).
  void finish_braces(std::size_t closed) {
    Frame& frame = frames.back();
    scratch.clear();
    if (closed == 3) {
      if (part_count(frame) > 1) scratch = text_of(parts[frame.first_part + 1].begin, out.size());
    } else {
      render(frame);
    }
    const std::size_t width = frame.width - closed;
    replace(frame.begin + width, scratch);
    if (width < 2) return pop();
    frame.width = width;
    parts.resize(frame.first_part);
    parts.push_back({frame.begin + width});
  }

  void render(const Frame& frame) {
    arguments.clear();
    for (std::size_t i = 1; i < part_count(frame); ++i) {
      const std::string_view text = part(frame, i);
      const Part& where = parts[frame.first_part + i];
      if (where.equals == kNone || where.equals < where.begin || where.equals - where.begin >= text.size()) arguments.push_back({{}, text});
      else arguments.push_back({trim(text.substr(0, where.equals - where.begin)), text.substr(where.equals - where.begin + 1)});
    }
    render_template(trim(part(frame, 0)), arguments, title, scratch);
  }

  /// Of three brackets the first is text, or the last is that of an external link.
  void open_bracket() {
    const std::size_t run = run_of('[');
    const bool external = run % 2 == 1 && begins_url(in.substr(at + run));
    if (run % 2 == 1 && !external) take(1);
    for (std::size_t pair = 0; pair < run / 2; ++pair) open(Kind::kLink, 2);
    if (external) open(Kind::kExternal, 1);
  }

  void close_bracket() {
    const Kind kind = frames.empty() ? Kind::kTable : frames.back().kind;
    if (kind == Kind::kExternal) {
      finish_external();
      ++at;
    } else if (kind == Kind::kLink && peek(1) == ']') {
      finish_link();
      at += 2;
    } else {
      take(1);
    }
  }

  void finish_external() {
    const Frame& frame = frames.back();
    const std::string_view content = text_of(frame.begin + 1, out.size());
    const std::size_t space = content.find_first_of(" \t");
    scratch = space == kNone ? std::string_view() : trim(content.substr(space));
    replace(frame.begin, scratch);
    pop();
  }

  /// Returns what stands before the target's colon, "" for a link that shows its target.
  static std::string_view prefix_of(std::string_view target) noexcept {
    const std::size_t colon = target.find(':');
    return colon == kNone ? std::string_view() : trim(target.substr(0, colon));
  }

  void finish_link() {
    const Frame& frame = frames.back();
    std::string_view target = trim(part(frame, 0)), label;
    if (part_count(frame) > 1) label = trim(text_of(parts[frame.first_part + 1].begin, out.size()));
    if (target.find_first_of("[]{}<>\n") != kNone) {  // no title can have these: MediaWiki shows the brackets
      pop();
      out += "]]";
      return;
    }
    scratch.clear();
    if (begins_url(target)) {  // an external link with brackets too many
      if (const std::size_t space = target.find(' '); space != kNone) scratch = target.substr(space + 1);
    } else if (!prefixes.hides(prefix_of(target))) {
      if (target.starts_with(':')) target.remove_prefix(1);
      scratch = label.empty() ? target : label;
    }
    replace(frame.begin, scratch);
    pop();
  }

  void bar() {
    if (frames.empty()) return take(1);
    Frame& top = frames.back();
    if (top.kind == Kind::kTable) return table_bar(top);
    take(1);
    const bool has_parts = top.kind == Kind::kBraces || top.kind == Kind::kLink || top.kind == Kind::kVariant;
    if (!has_parts || part_count(top) == kMaxParts) return;
    if (top.kind == Kind::kLink && part_count(top) == 1) top.hidden = prefixes.hides(prefix_of(trim(text_of(parts.back().begin, out.size() - 1))));
    parts.push_back({out.size()});
  }

  void equals() {
    if (at == heading_end) {
      at = heading_line_end;
      return;
    }
    if (!frames.empty() && frames.back().kind == Kind::kBraces && parts.back().equals == kNone) {
      gap = kNone;
      parts.back().equals = out.size();
    }
    take(1);
  }

  // ---------------------------------------------------------------- variants of a language

  void hyphen() {
    if (options.variants && peek(1) == '{' && peek(2) != '{') return open(Kind::kVariant, 2);
    take(run_of('-'));
  }

  /// -{text}-, -{flags|text}-, -{zh-hans:one; zh-hant:other}-: the first variant.
  void close_variant() {
    const Frame& frame = frames.back();
    const bool has_flags = part_count(frame) > 1;
    const std::string_view flags = has_flags ? part(frame, 0) : std::string_view();
    std::string_view text = has_flags ? text_of(parts[frame.first_part + 1].begin, out.size()) : part(frame, 0);
    if (flags.find_first_of("THD-") != kNone) text = {};
    const std::size_t colon = text.find(':');
    const bool rules = colon != kNone && colon > 1 && text.substr(0, colon).find_first_not_of(" abcdefghijklmnopqrstuvwxyz-") == kNone;
    if (rules && flags.find('R') == kNone) text = text.substr(colon + 1, text.find(';') - colon - 1);
    scratch = trim(text);
    replace(frame.begin, scratch);
    pop();
    at += 2;
  }

  // ---------------------------------------------------------------- tables

  void open_table(std::size_t first) {
    at = first + 2;
    if (!push(Kind::kTable, 0)) return;
    frames.back().attributes = frames.back().row = out.size();
  }

  /// A line of a table that begins with '|' or '!', at `first`.
  void table_line(std::size_t first) {
    Frame& table = frames.back();
    at = first + 1;
    const char next = peek(0);
    if (in[first] == '!') {
      table.header = true;
    } else if (next == '}' && (peek(1) != '}' || peek(2) == '}' || open_braces == 0)) {
      ++at;
      return close_table(table);
    } else if (next == '-') {
      at = std::min(in.find_first_not_of('-', at), in.size());
      break_line();
      table.attributes = table.row = out.size();
      return;
    } else if (next == '+') {
      ++at;
    }
    // The cells of a row share a line of the output, wherever they stand.
    while (out.size() > table.row && out.back() == '\n') out.pop_back();
    begin_cell(table);
    if (peek(0) == '|' && next == '|') ++at;
  }

  void begin_cell(Frame& table) {
    trim_line();
    if (out.size() > table.row) out += '\t';
    table.cell = out.size();
    gap = out.size();
  }

  void close_table(const Frame& table) {
    if (options.tables) break_line();
    else replace(table.begin, {});
    pop();
  }

  /// "||" begins a cell; a single bar ends the attributes of one.
  void table_bar(Frame& table) {
    ++at;
    if (peek(0) == '|') {
      ++at;
      begin_cell(table);
    } else if (table.cell != kNone) {
      cut(std::exchange(table.cell, kNone));
      gap = out.size();
    } else {
      out += '|';
    }
  }

  void exclamation() {
    const bool divides = peek(1) == '!' && !frames.empty() && frames.back().kind == Kind::kTable && frames.back().header;
    if (!divides) return take(1);
    at += 2;
    begin_cell(frames.back());
  }

  // ---------------------------------------------------------------- apostrophes

  void apostrophes() {
    const std::size_t run = run_of('\'');
    if (run == 1) return take(1);
    // Four are one and bold, more than five are text and both.
    const std::size_t marks = run == 4 ? 3 : std::min<std::size_t>(run, 5);
    if (run > marks) write(in.substr(at, run - marks));
    const bool after_space = at == 0 || in[at - 1] == ' ' || in[at - 1] == '\n';
    quotes.push_back({out.size(), static_cast<int>(marks), after_space, !after_space && at > 1 && in[at - 2] == ' '});
    at += run;
  }

  /// Where both bold and italics of a line are odd, one bold mark is an apostrophe and italics, as in "l'''Inde''": the first one behind a
  /// word of one letter, else behind a longer word, else behind a space (MediaWiki's doQuotes).
  void balance_quotes() {
    std::size_t bold = 0, italic = 0;
    for (const Quote& quote : quotes) {
      if (quote.marks != 2) ++bold;
      if (quote.marks != 3) ++italic;
    }
    if (bold % 2 == 0 || italic % 2 == 0 || open_braces > 0) return;
    const auto first = [&](auto&& fits) { return std::find_if(quotes.begin(), quotes.end(), [&](const Quote& quote) { return quote.marks == 3 && fits(quote); }); };
    auto chosen = first([](const Quote& quote) { return quote.after_letter; });
    if (chosen == quotes.end()) chosen = first([](const Quote& quote) { return !quote.after_space; });
    if (chosen == quotes.end()) chosen = first([](const Quote&) { return true; });
    if (chosen == quotes.end() || chosen->at > out.size()) return;
    insert_apostrophe(chosen->at);
  }

  void insert_apostrophe(std::size_t position) {
    out.insert(position, 1, '\'');
    const auto move = [&](std::size_t& value) {
      if (value != kNone && value >= position) ++value;
    };
    for (Frame& frame : frames) move(frame.begin), move(frame.cell), move(frame.attributes), move(frame.row);
    for (Part& entry : parts) move(entry.begin), move(entry.equals);
    move(item_end);
    if (item_begin != kNone && item_begin > position) ++item_begin;
    if (verbatim_end > position) ++verbatim_end;
  }

  // ---------------------------------------------------------------- tags, entities, magic words

  void angle() {
    if (in.substr(at).starts_with("<!--")) return comment();
    const Tag tag = read_tag(in.substr(at));
    if (tag.size == 0) return take(1);
    switch (tag.action) {
      case TagAction::kBreak:
        at += tag.size;
        return break_line();
      case TagAction::kCell:
        at += tag.size;
        if (!tag.closing && !at_line_start()) out += '\t';
        return;
      case TagAction::kTable: return html_table(tag);
      case TagAction::kUnknown:
      case TagAction::kStrip: break;
      default:
        if (!tag.closing && !tag.self_closing) return element(tag);
        if (tag.self_closing) gap = out.size();  // <ref name="x"/>, <nowiki/>
        break;
    }
    at += tag.size;
  }

  void html_table(const Tag& tag) {
    at += tag.size;
    if (!tag.closing) {
      break_line();
      push(Kind::kHtmlTable, 0);
    } else if (!frames.empty() && frames.back().kind == Kind::kHtmlTable) {
      close_table(frames.back());
    }
  }

  /// A tag whose content is not wikitext. One that nothing closes goes alone, and what follows it stays.
  void element(const Tag& tag) {
    const std::size_t begin = at + tag.size;
    const std::size_t end = no_closing[tag.number] ? kNone : find_closing(in.substr(begin), tag);
    if (end == kNone) {
      if (tag.action != TagAction::kReference) no_closing.set(tag.number);
      at = begin;
      return;
    }
    const std::string_view content = in.substr(begin, end);
    at = begin + end;
    at += read_tag(in.substr(at)).size;
    switch (tag.action) {
      case TagAction::kMath:
      case TagAction::kChemistry: return math(content, tag.action == TagAction::kChemistry);
      case TagAction::kNowiki: return literal(content);
      case TagAction::kVerbatim:
        break_line();
        gap = kNone;
        literal(trim_lines(content));
        verbatim_end = out.size();
        return break_line();
      default: gap = out.size();
    }
  }

  static std::string_view trim_lines(std::string_view text) noexcept {
    while (text.starts_with('\n')) text.remove_prefix(1);
    while (text.ends_with('\n')) text.remove_suffix(1);
    return text;
  }

  void math(std::string_view content, bool chemistry) {
    if (!options.math || trim(content).empty()) {
      gap = out.size();
      return;
    }
    gap = gap == out.size() ? gap : kNone;
    write(chemistry ? "$\\ce{" : "$");
    literal(trim(content));
    out += chemistry ? "}$" : "$";
  }

  /// Writes text whose only markup is entities.
  void literal(std::string_view text) {
    while (!text.empty()) {
      const std::size_t mark = std::min(text.find('&'), text.size());
      write(text.substr(0, mark));
      text.remove_prefix(mark);
      if (text.empty()) return;
      const std::size_t size = decode_entity(text, out);
      if (size == 0) out += '&';
      text.remove_prefix(std::max<std::size_t>(size, 1));
    }
  }

  /// A comment that has a line for itself goes with its line.
  void comment() {
    const std::size_t end = no_comment_end ? kNone : in.find("-->", at + 4);
    if (end == kNone) {
      no_comment_end = true;
      at += 4;
      return;
    }
    const bool line_start = at == 0 || in[at - 1] == '\n' || comment_line == at;
    at = end + 3;
    gap = gap == out.size() || line_start ? out.size() : gap;
    if (!line_start) return;
    if (peek(0) == '\n') ++at;
    comment_line = at;
    start_line();
  }

  void entity() {
    scratch.clear();
    const std::size_t size = decode_entity(in.substr(at), scratch);
    if (size == 0) return take(1);
    at += size;
    if (scratch == "\n") scratch = " ";
    write(scratch);
  }

  /// Drops words such as __NOTOC__, in any language.
  void underscore() {
    constexpr std::size_t kLongest = 60;
    if (peek(1) != '_') return take(1);
    const std::size_t end = in.substr(at + 2, kLongest).find("__");
    const std::string_view word = end == kNone ? std::string_view() : in.substr(at + 2, end);
    const bool magic = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80; });
    if (!magic) return take(2);
    at += word.size() + 4;
    gap = out.size();
  }

  const WikitextOptions options;
  const LinkPrefixes prefixes;
  std::string_view in, title;
  std::size_t at = 0;  ///< in the wikitext
  std::string out, scratch;
  std::vector<Frame> frames;  ///< open brackets, the innermost last
  std::vector<Part> parts;    ///< of all open brackets
  std::vector<Quote> quotes;  ///< of this line
  std::vector<TemplateArgument> arguments;
  std::size_t open_braces = 0, line = 0;
  std::size_t item_begin = kNone, item_end = kNone;  ///< of the bullet of this line
  std::size_t gap = kNone;                           ///< where something was dropped
  std::size_t heading_end = kNone, heading_line_end = 0;
  std::size_t verbatim_end = 0;                      ///< nothing before is trimmed
  std::size_t comment_line = kNone;                  ///< where a line goes on behind a comment at its start
  std::bitset<kTagCount> no_closing;                 ///< names of tags that nothing closes from here on
  bool no_comment_end = false;
};

WikitextParser::WikitextParser(WikitextOptions options, LinkPrefixes prefixes) : impl_(std::make_unique<Impl>(options, std::move(prefixes))) {}
WikitextParser::~WikitextParser() = default;

std::string_view WikitextParser::convert(std::string_view wikitext, std::string_view title) {
  impl_->in = wikitext;
  impl_->title = title;
  impl_->comment_line = kNone;
  impl_->convert();
  return impl_->out;
}

}  // namespace flowrun::readers
