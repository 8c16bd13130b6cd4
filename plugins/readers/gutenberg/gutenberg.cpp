#include "gutenberg.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <utility>
#include <vector>

namespace flowrun::readers {
namespace {

using Lines = std::vector<std::string_view>;

/// A header is never longer, in lines: the longest small prints have about 400.
constexpr std::size_t kMaxHeaderLines = 600;

/// Credits are among the first paragraphs of a text; below them a book may say who produced what.
constexpr std::size_t kCreditParagraphs = 4;

/// Splits at "\n", "\r\n" and "\r".
Lines split_lines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    for (std::size_t at = line.find('\r'); at != std::string_view::npos && at + 1 < line.size(); at = line.find('\r')) {
      lines.push_back(line.substr(0, at));
      line.remove_prefix(at + 1);
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

bool is_blank(std::string_view line) noexcept { return line.find_first_not_of(" \t\f\v") == std::string_view::npos; }

std::string_view trim(std::string_view text, const char* characters = " \t") noexcept {
  const std::size_t first = text.find_first_not_of(characters);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Returns whether `text` begins with `start`, which is in upper case, in any case.
bool begins(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) { return a == upper(b); });
}

std::size_t find_any_case(std::string_view text, std::string_view part) noexcept {
  const auto found = std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) { return upper(a) == b; });
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> starts) noexcept {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return begins(text, start); });
}

// ------------------------------------------------------------------------------------------------------------------------- the marks

/// Returns whether the first character of a line is a star. Asked first, because few lines begin so.
bool begins_with_star(std::string_view line) noexcept {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '*';
}

bool is_modern_start(std::string_view line) noexcept {
  return begins_with_star(line) && begins_with_any(trim(line, " \t*"), {"START OF THE PROJECT GUTENBERG", "START OF THIS PROJECT GUTENBERG", "START OF PROJECT GUTENBERG",
                                                                      "START OF THE COPYRIGHTED PROJECT GUTENBERG"});
}

/// The line that ends the small print; the one that begins it ("***START**THE SMALL PRINT!") is another.
bool is_small_print_end(std::string_view line) noexcept {
  if (find_any_case(line, "SMALL PRINT") == std::string_view::npos) return false;
  const std::string_view text = trim(line, " \t*");
  return begins(text, "END") || (text.size() > 3 && begins(text.substr(text.size() - 3), "END"));
}

bool is_modern_end(std::string_view line) noexcept {
  return begins_with_star(line) && begins_with_any(trim(line, " \t*"), {"END OF THE PROJECT GUTENBERG", "END OF THIS PROJECT GUTENBERG", "END OF PROJECT GUTENBERG",
                                                                      "END OF THE COPYRIGHTED PROJECT GUTENBERG", "START: FULL LICENSE"});
}

bool is_legacy_end(std::string_view line) noexcept {
  return begins_with_any(trim(line, " \t*[<"),
                         {"END OF THE PROJECT GUTENBERG", "END OF THIS PROJECT GUTENBERG", "END OF PROJECT GUTENBERG", "END OF THE COPYRIGHTED PROJECT GUTENBERG",
                          "END OF THIS IS COPYRIGHTED", "THIS IS A COPYRIGHTED PROJECT GUTENBERG ETEXT, DETAILS ABOVE", "ENDE DIESES PROJECT GUTENBERG",
                          "ENDE DIESES PROJEKT GUTENBERG", "ENDE DIESES ETEXTES", "ENDE DIESE PROJECT GUTENBERG", "FIN DE PROJECT GUTENBERG"});
}

/// Returns the line behind a start mark, which may be broken into several lines: it goes on to the next stars, in the same paragraph.
std::size_t behind_mark(const Lines& lines, std::size_t mark) {
  constexpr std::size_t kMaxLines = 5;
  if (trim(lines[mark]).ends_with('*')) return mark + 1;
  for (std::size_t i = mark + 1; i < std::min(lines.size(), mark + kMaxLines) && !is_blank(lines[i]); ++i)
    if (trim(lines[i]).ends_with("***")) return i + 1;
  return mark + 1;
}

/// Lines [begin, end) of a text: what stands between the marks.
struct Body {
  std::size_t begin = 0, end = 0;
  bool has_start = false, has_end = false;
};

/// Returns the line at which the footer begins, its blank lines above not counted; the number of lines where there is none.
std::size_t find_end(const Lines& lines, std::size_t from) {
  const auto modern = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.end(), is_modern_end);
  const auto stop = static_cast<std::size_t>(modern - lines.begin());
  std::size_t legacy = stop;
  // Above a modern mark only a neighbour is part of the footer. A text of several may hold the ends of all; the last one is its own.
  const std::size_t first = stop == lines.size() ? from : std::max(from, stop - std::min<std::size_t>(stop, 12));
  for (std::size_t i = stop; i > first; --i) {
    if (!is_legacy_end(lines[i - 1])) continue;
    legacy = i - 1;
    break;
  }
  return legacy;
}

Body find_body(const Lines& lines) {
  Body body;
  for (std::size_t i = 0; i < std::min(lines.size(), kMaxHeaderLines); ++i) {
    if (is_modern_end(lines[i]) || (is_legacy_end(lines[i]) && !is_small_print_end(lines[i]))) break;
    const bool modern = is_modern_start(lines[i]);
    if (!modern && !is_small_print_end(lines[i])) continue;
    body.begin = modern ? behind_mark(lines, i) : i + 1;
    body.has_start = true;
    i = body.begin - 1;
  }
  body.end = find_end(lines, body.begin);
  body.has_end = body.end < lines.size();
  return body;
}

// ------------------------------------------------------------------------------------------------------------ what the header says

/// Takes "[EBook #1234]" off the end of a line: its number, if it is one.
std::optional<std::int64_t> take_number(std::string_view& line) {
  const std::size_t bracket = line.rfind('['), mark = line.find('#', bracket == std::string_view::npos ? line.size() : bracket);
  if (mark == std::string_view::npos || !begins_with_any(line.substr(bracket), {"[EBOOK", "[ETEXT", "[E-TEXT", "[E-BOOK"})) return {};
  std::int64_t number = 0;
  const char* const end = line.data() + line.size();
  if (std::from_chars(line.data() + mark + 1, end, number).ptr == line.data() + mark + 1) return {};
  line = trim(line.substr(0, bracket));
  return number;
}

/// Returns the value of "KEY: value" at `line` with the indented lines below it.
std::string value_at(const Lines& lines, std::size_t line, std::size_t end, std::size_t key_size, const char* separator) {
  std::string value(trim(lines[line].substr(key_size)));
  for (std::size_t i = line + 1; i < end && !is_blank(lines[i]) && (lines[i].starts_with(' ') || lines[i].starts_with('\t')); ++i)
    (value += value.empty() ? "" : separator) += trim(lines[i]);
  return value;
}

/// Reads "The Project Gutenberg Etext of TITLE, by AUTHOR", with stars around it or not.
void read_first_line(std::string_view line, GutenbergText& out) {
  std::string_view text = trim(line, " \t*");
  if (begins(text, "THE ")) text.remove_prefix(4);
  if (!begins(text, "PROJECT GUTENBERG")) return;
  std::size_t of = std::string_view::npos;
  for (const std::string_view kind : {"ETEXT OF ", "E-TEXT OF ", "EBOOK OF ", "E-BOOK OF ", "EDITION OF ", "ETEXT, ", "EBOOK, "})
    if (const std::size_t found = find_any_case(text, kind); found < of) of = found + kind.size();
  if (of >= text.size()) return;
  text = text.substr(of);
  const std::size_t by = find_any_case(text, ", BY ");
  if (!out.title) out.title = trim(text.substr(0, by));
  if (!out.author && by != std::string_view::npos) out.author = trim(text.substr(by + 5), " \t*.");
}

void read_header(const Lines& lines, std::size_t end, GutenbergText& out) {
  struct Key {
    std::string_view text;
    std::optional<std::string> GutenbergText::*field;
    const char* separator;
  };
  static constexpr Key kKeys[] = {{"TITLE:", &GutenbergText::title, " "},
                                  {"AUTHOR:", &GutenbergText::author, "; "},
                                  {"LANGUAGE:", &GutenbergText::language, " "},
                                  {"RELEASE DATE:", &GutenbergText::release_date, " "}};
  for (std::size_t i = 0; i < end; ++i) {
    for (const Key& key : kKeys)
      if (!(out.*key.field) && begins(lines[i], key.text))
        if (std::string value = value_at(lines, i, end, key.text.size(), key.separator); !value.empty()) out.*key.field = std::move(value);
    std::string_view line = trim(lines[i]);
    if (out.number) continue;
    out.number = take_number(line);
    // Before 2004 the date has no key: "March, 1994  [Etext #11]".
    if (out.number && !out.release_date && !line.empty() && line.find(':') == std::string_view::npos) out.release_date = line;
  }
  if (out.release_date) {
    std::string_view date = *out.release_date;
    take_number(date);
    out.release_date = date.empty() ? std::nullopt : std::optional(std::string(date));
  }
  for (std::size_t i = 0; i < end && (!out.title || !out.author); ++i) read_first_line(lines[i], out);
}

// ------------------------------------------------------------------------------------------------------- what is cut out of the body

/// Returns the line behind the paragraph at `line`.
std::size_t paragraph_end(const Lines& lines, std::size_t line, std::size_t end) {
  while (line < end && !is_blank(lines[line])) ++line;
  return line;
}

std::size_t next_paragraph(const Lines& lines, std::size_t line, std::size_t end) {
  while (line < end && is_blank(lines[line])) ++line;
  return line;
}

bool is_credit(std::string_view line) noexcept {
  const std::string_view text = trim(line, " \t*([_");
  if (begins_with_any(text, {"PRODUCED BY ", "E-TEXT PREPARED BY", "ETEXT PREPARED BY", "EBOOK PREPARED BY", "TRANSCRIBED BY ", "TRANSCRIBED FROM ", "SCANNED BY ",
                             "SCANNED AND PROOFED BY", "PREPARED BY ", "HTML VERSION BY ", "THIS FILE WAS PRODUCED FROM IMAGES", "PROOFREADING TEAM AT ",
                             "PROJECT GUTENBERG ONLINE DISTRIBUTED", "THE PROJECT GUTENBERG ONLINE DISTRIBUTED", "ONLINE DISTRIBUTED PROOFREADING"}))
    return true;
  for (const std::string_view kind : {"THIS ETEXT WAS ", "THIS E-TEXT WAS ", "THIS EBOOK WAS ", "THIS E-BOOK WAS ", "THIS PROJECT GUTENBERG ETEXT WAS "})
    if (begins(text, kind) && begins_with_any(text.substr(kind.size()), {"PREPARED", "PRODUCED", "TRANSCRIBED", "SCANNED", "TYPED", "CREATED", "PROVIDED"})) return true;
  return false;
}

std::string_view without_apostrophe(std::string_view text) noexcept {
  for (const std::string_view apostrophe : {"'", "\xE2\x80\x99"})
    if (text.starts_with(apostrophe)) return text.substr(apostrophe.size());
  return text;
}

/// Returns what follows "Transcriber's Note" (or Transcribers' Notes) on a line that begins so.
std::optional<std::string_view> note_text(std::string_view line) noexcept {
  std::string_view text = trim(line, " \t*[(|+_=-");
  if (!begins(text, "TRANSCRIBER")) return {};
  text = without_apostrophe(text.substr(std::string_view("TRANSCRIBER").size()));
  if (begins(text, "S")) text = without_apostrophe(text.substr(1));
  text = trim(text);
  if (!begins(text, "NOTE")) return {};
  text.remove_prefix(4);
  if (begins(text, "S")) text.remove_prefix(1);
  const bool is_sentence = text.size() > 1 && text[0] == ' ' && text[1] >= 'a' && text[1] <= 'z';
  return is_sentence ? std::nullopt : std::optional(trim(text, " \t:.*_"));
}

/// Returns the line behind the note at `line`: to the bracket that closes it; else its paragraph, and the next where that is its heading alone.
std::size_t note_end(const Lines& lines, std::size_t line, std::size_t end) {
  const std::size_t paragraph = paragraph_end(lines, line, end);
  if (!trim(lines[line]).starts_with('[')) {
    const bool is_heading = paragraph == line + 1 && note_text(lines[line])->empty();
    return is_heading ? paragraph_end(lines, next_paragraph(lines, paragraph, end), end) : paragraph;
  }
  int depth = 0;
  for (std::size_t i = line; i < end; ++i) {
    for (const char c : lines[i]) depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (depth <= 0) return i + 1;
  }
  return paragraph;  // never closed
}

/// Returns the line behind a licence inside a text, which Shakespeare's works repeat; `line` where none begins there.
std::size_t licence_end(const Lines& lines, std::size_t line, std::size_t end) {
  constexpr std::size_t kMaxLines = 12;
  if (!begins(trim(lines[line]), "<<THIS ELECTRONIC VERSION OF")) return line;
  for (std::size_t i = line; i < std::min(end, line + kMaxLines); ++i)
    if (lines[i].find(">>") != std::string_view::npos) return i + 1;
  return line;
}

/// Returns the line behind whatever is cut at `line`, which begins a paragraph; `line` where that is nothing.
std::size_t cut_end(const Lines& lines, std::size_t line, std::size_t end, bool may_be_credit, const GutenbergOptions& options) {
  if (!options.keep_credits && may_be_credit && is_credit(lines[line])) return paragraph_end(lines, line, end);
  if (!options.keep_notes && note_text(lines[line])) return note_end(lines, line, end);
  return line;
}

/// Appends lines [begin, end) without what the options cut.
void append_body(const Lines& lines, std::size_t begin, std::size_t end, bool has_marks, const GutenbergOptions& options, std::string& out) {
  std::size_t paragraphs = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (const std::size_t behind = licence_end(lines, i, end); behind > i) {
      i = behind - 1;
      continue;
    }
    const bool starts_paragraph = !is_blank(lines[i]) && (i == begin || is_blank(lines[i - 1]));
    paragraphs += starts_paragraph;
    if (const std::size_t behind = starts_paragraph && has_marks ? cut_end(lines, i, end, paragraphs <= kCreditParagraphs, options) : i; behind > i) {
      i = behind - 1;
      continue;
    }
    (out += lines[i]) += '\n';
  }
}

void trim_blank_lines(std::string& text) {
  const std::size_t last = text.find_last_not_of(" \t\n\f\v");
  text.resize(last == std::string::npos ? 0 : last + 1);
  if (text.empty()) return;
  text += '\n';
  const std::size_t first = text.find_first_not_of(" \t\n\f\v");
  const std::size_t line = text.rfind('\n', first);  // the first line keeps its indent
  if (line != std::string::npos && line < first) text.erase(0, line + 1);
}

}  // namespace

std::optional<std::string> declared_encoding(std::string_view text) {
  constexpr std::string_view kKey = "CHARACTER SET ENCODING:";
  for (std::size_t line = 0; line < kMaxHeaderLines && !text.empty(); ++line) {
    const std::size_t end = text.find_first_of("\r\n");
    const std::string_view value = begins(text, kKey) ? trim(text.substr(0, end).substr(kKey.size())) : std::string_view();
    if (!value.empty()) return std::string(value);
    text.remove_prefix(std::min(text.size(), end == std::string_view::npos ? end : end + 1));
  }
  return {};
}

GutenbergText read_gutenberg(std::string_view text, const GutenbergOptions& options) {
  const Lines lines = split_lines(text);
  const Body body = find_body(lines);
  GutenbergText out;
  out.has_start = body.has_start;
  out.has_end = body.has_end;
  if (body.has_start) read_header(lines, body.begin, out);
  out.text.reserve(text.size());
  append_body(lines, body.begin, body.end, body.has_start || body.has_end, options, out.text);
  if (body.has_start || body.has_end) trim_blank_lines(out.text);
  else if (!text.empty() && !text.ends_with('\n') && !text.ends_with('\r')) out.text.pop_back();
  return out;
}

}  // namespace flowrun::readers
