#include "tex_paper.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view base_name(std::string_view name) noexcept {
  const std::size_t slash = name.rfind('/');
  return slash == kNone ? name : name.substr(slash + 1);
}

/// Returns the class of a document, "" where the text names none.
std::string_view document_class(std::string_view text) noexcept {
  for (const std::string_view words : {"\\documentclass", "\\documentstyle"}) {
    const std::size_t at = find_uncommented(text, words);
    if (at == kNone) continue;
    const std::size_t open = text.find('{', at), close = open == kNone ? kNone : text.find('}', open);
    return close == kNone ? words.substr(1) : text.substr(open + 1, close - open - 1);
  }
  return {};
}

bool is_part_class(std::string_view name) noexcept { return name == "subfiles" || name == "standalone"; }

bool ends_as_plain_tex(std::string_view text) noexcept {
  if (find_uncommented(text, "\\bye") != kNone) return true;
  for (std::size_t at = find_uncommented(text, "\\end"); at != kNone; at = find_uncommented(text, "\\end", at + 4)) {
    const std::size_t behind = text.find_first_not_of(" \t\r\n", at + 4);
    if (behind == kNone) return true;
  }
  return false;
}

/// Returns the file that a 00README calls the top level, "" where none does so or the file is not there.
std::string from_readme(const TexFiles& files) {
  for (const auto& [name, text] : files) {
    if (!base_name(name).starts_with("00README")) continue;
    const std::string folder = name.substr(0, name.size() - base_name(name).size());
    if (name.ends_with(".json")) {
      // {"sources": [{"filename": "a.tex", "usage": "toplevel"}]}: the name is the last one before the word, within its object.
      const std::size_t usage = text.find("\"toplevel\"");
      const std::size_t open = usage == kNone ? kNone : text.rfind('{', usage), close = usage == kNone ? kNone : text.find('}', usage);
      if (open == kNone || close == kNone) continue;
      const std::size_t key = text.find("\"filename\"", open);
      if (key == kNone || key > close) continue;
      const std::size_t first = text.find('"', key + 10), last = first == kNone ? kNone : text.find('"', first + 1);
      if (last == kNone || last > close) continue;
      std::string found = normal_name(folder + text.substr(first + 1, last - first - 1));
      if (files.contains(found)) return found;
      continue;
    }
    for (std::size_t line = 0; line < text.size();) {  // "main.tex toplevelfile"
      const std::size_t end = std::min(text.find('\n', line), text.size());
      const std::string_view words = std::string_view(text).substr(line, end - line);
      const std::size_t blank = words.find_first_of(" \t");
      if (blank != kNone && words.find("toplevelfile", blank) != kNone) {
        std::string found = normal_name(folder + std::string(words.substr(0, blank)));
        if (files.contains(found)) return found;
      }
      line = end + 1;
    }
  }
  return {};
}

/// Orders candidates: the least is taken.
auto rank(const std::string& name, const std::string& text) {
  static constexpr std::array<std::string_view, 6> kUsual = {"main", "ms", "paper", "article", "manuscript", "arxiv"};
  const std::string stem = lower(base_name(name).substr(0, base_name(name).rfind('.')));
  const auto usual = std::find(kUsual.begin(), kUsual.end(), stem) - kUsual.begin();
  return std::tuple(usual, std::count(name.begin(), name.end(), '/'), -static_cast<std::int64_t>(text.size()), name);
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

/// Windows-1252 between 0x80 and 0x9F; 0: no character.
constexpr std::uint16_t kWindows1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                            0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// Latin-9 where it is not Latin-1; 0: as Latin-1.
std::uint32_t latin9(unsigned char byte) noexcept {
  switch (byte) {
    case 0xA4: return 0x20AC;
    case 0xA6: return 0x160;
    case 0xA8: return 0x161;
    case 0xB4: return 0x17D;
    case 0xB8: return 0x17E;
    case 0xBC: return 0x152;
    case 0xBD: return 0x153;
    case 0xBE: return 0x178;
    default: return 0;
  }
}

/// Returns the encoding that the text names for itself.
std::string_view named_encoding(std::string_view text) noexcept {
  for (const std::string_view package : {"{inputenc}", "{inputenx}"}) {
    const std::size_t at = find_uncommented(text, package);
    if (at == kNone) continue;
    const std::size_t close = text.rfind(']', at), open = close == kNone ? kNone : text.rfind('[', close);
    if (open != kNone && at - open < 40) return text.substr(open + 1, close - open - 1);
  }
  return {};
}

}  // namespace

std::string normal_name(std::string_view name) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("/\\", at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
    at = end + 1;
  }
  std::string out;
  for (const std::string_view part : parts) (out += out.empty() ? "" : "/") += part;
  return out;
}

bool is_tex_name(std::string_view name) {
  const std::string base = lower(base_name(name));
  const std::size_t dot = base.rfind('.');
  if (dot == kNone || base.starts_with("00readme")) return true;
  static constexpr std::array<std::string_view, 10> kSuffixes = {"tex", "ltx", "latex", "bbl", "txt", "inc", "def", "tikz", "pgf", "pstex_t"};
  const std::string_view suffix = std::string_view(base).substr(dot + 1);
  const bool numbers = suffix.find_first_not_of("0123456789") == kNone;  // an arXiv number: hep-th9901001, 0704.0001
  return numbers || std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

std::size_t find_uncommented(std::string_view text, std::string_view words, std::size_t from) noexcept {
  std::size_t at = text.find(words, from);
  while (at != kNone) {
    const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    bool commented = false;
    for (std::size_t i = line; i < at && !commented; ++i) {
      if (text[i] == '\\') ++i;
      else commented = text[i] == '%';
    }
    if (!commented) return at;
    const std::size_t next = text.find('\n', at);
    at = next == kNone ? kNone : text.find(words, next);
  }
  return kNone;
}

bool is_main_file(std::string_view text) noexcept {
  const std::string_view name = document_class(text);
  return name.empty() ? ends_as_plain_tex(text) : !is_part_class(name);
}

std::string find_main_file(const TexFiles& files) {
  if (std::string named = from_readme(files); !named.empty()) return named;
  std::vector<const TexFiles::value_type*> levels[4];
  for (const auto& file : files) {
    const std::string& name = file.first;
    const bool bibliography = name.ends_with(".bbl") || base_name(name).starts_with("00README");
    if (bibliography) continue;
    const std::string_view document = document_class(file.second);
    const bool begins = find_uncommented(file.second, "\\begin{document}") != kNone;
    if (!document.empty() && begins && !is_part_class(document)) levels[0].push_back(&file);
    else if (!document.empty() || begins) levels[1].push_back(&file);
    else if (ends_as_plain_tex(file.second)) levels[2].push_back(&file);
    else if (name.ends_with(".tex") || files.size() == 1) levels[3].push_back(&file);
  }
  for (int level = 0; level < 4; ++level) {
    auto& found = levels[level];
    if (found.empty() || (level == 3 && found.size() > 1)) continue;
    return (*std::min_element(found.begin(), found.end(), [](const auto* a, const auto* b) { return rank(a->first, a->second) < rank(b->first, b->second); }))->first;
  }
  return {};
}

bool decode_tex(std::string& text) {
  if (find_invalid_utf8(text) == kNone) return true;
  const std::string_view encoding = named_encoding(text);
  const bool windows = encoding == "ansinew" || encoding == "cp1252", nine = encoding == "latin9", one = encoding == "latin1";
  if (!windows && !nine && !one) return false;
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t code = byte;
    if (windows && byte >= 0x80 && byte < 0xA0) code = kWindows1252[byte - 0x80];
    if (const std::uint32_t other = nine ? latin9(byte) : 0; other != 0) code = other;
    if (code == 0 && byte != 0) return false;
    append_utf8(code, out);
  }
  text = std::move(out);
  return true;
}

}  // namespace flowrun::readers
