#include "templates.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace flowrun::readers {
namespace {

using Arguments = std::span<const TemplateArgument>;

enum class Kind : std::uint8_t {
  kArgument,  ///< the argument of that number
  kText,      ///< always the same text
  kPrefixed,  ///< the text, then the first argument
  kJoined,    ///< the arguments one after another, the text between them
  kConvert,   ///< a measurement: its numbers and its first unit
  kShip,      ///< the template's name and the first argument
};

struct InlineTemplate {
  std::string_view name;
  Kind kind;
  std::uint8_t number = 1;
  std::string_view text = "";
};

constexpr InlineTemplate kInline[] = {
    {"!", Kind::kText, 0, "|"},
    {"'", Kind::kText, 0, "'"},
    {"' \"", Kind::kText, 0, "' \""},
    {"'\"", Kind::kText, 0, "'\""},
    {"'s", Kind::kText, 0, "'s"},
    {"=", Kind::kText, 0, "="},
    {"abbr", Kind::kArgument},
    {"abbreviation", Kind::kArgument},
    {"abbrlink", Kind::kArgument},
    {"angbr", Kind::kArgument},
    {"as of", Kind::kPrefixed, 1, "As of "},
    {"as written", Kind::kArgument},
    {"big", Kind::kArgument},
    {"bigger", Kind::kArgument},
    {"blockquote", Kind::kArgument},
    {"bold", Kind::kArgument},
    {"bull", Kind::kText, 0, " • "},
    {"c.", Kind::kPrefixed, 1, "c. "},
    {"ca.", Kind::kPrefixed, 1, "c. "},
    {"center", Kind::kArgument},
    {"chem", Kind::kJoined},
    {"chem2", Kind::kArgument},
    {"circa", Kind::kPrefixed, 1, "c. "},
    {"citation-needed span", Kind::kArgument},
    {"code", Kind::kArgument},
    {"convert", Kind::kConvert},
    {"cquote", Kind::kArgument},
    {"cvt", Kind::kConvert},
    {"dash", Kind::kText, 0, " – "},
    {"date", Kind::kJoined, 1, " "},
    {"dot", Kind::kText, 0, " · "},
    {"em", Kind::kArgument},
    {"en dash", Kind::kText, 0, "–"},
    {"esc", Kind::kArgument},
    {"fl.", Kind::kPrefixed, 1, "fl. "},
    {"flag", Kind::kArgument},
    {"flagcountry", Kind::kArgument},
    {"flagu", Kind::kArgument},
    {"floruit", Kind::kPrefixed, 1, "fl. "},
    {"formatnum", Kind::kArgument},
    {"frac", Kind::kJoined, 1, "/"},
    {"fraction", Kind::kJoined, 1, "/"},
    {"hms", Kind::kShip},
    {"ill", Kind::kArgument},
    {"ill-wd", Kind::kArgument},
    {"interlanguage link", Kind::kArgument},
    {"italic", Kind::kArgument},
    {"italics", Kind::kArgument},
    {"kbd", Kind::kArgument},
    {"keypress", Kind::kJoined, 1, "+"},
    {"lang", Kind::kArgument, 2},
    {"langx", Kind::kArgument, 2},
    {"larger", Kind::kArgument},
    {"le", Kind::kArgument},
    {"lien", Kind::kArgument},
    {"link-en", Kind::kArgument},
    {"lk", Kind::kArgument},
    {"math", Kind::kArgument},
    {"mdash", Kind::kText, 0, "—"},
    {"midsize", Kind::kArgument},
    {"mono", Kind::kArgument},
    {"mvar", Kind::kArgument},
    {"nbsp", Kind::kText, 0, "\u00A0"},
    {"ndash", Kind::kText, 0, "–"},
    {"nihongo", Kind::kArgument},
    {"nobold", Kind::kArgument},
    {"nobr", Kind::kArgument},
    {"nobreak", Kind::kArgument},
    {"noitalic", Kind::kArgument},
    {"nombre", Kind::kJoined, 1, " "},
    {"not a typo", Kind::kArgument},
    {"nowrap", Kind::kArgument},
    {"overline", Kind::kArgument},
    {"pagename", Kind::kText},
    {"proper name", Kind::kArgument},
    {"quote", Kind::kArgument},
    {"rlm", Kind::kText, 0, "\u200F"},
    {"ruby", Kind::kArgument},
    {"samp", Kind::kArgument},
    {"sc", Kind::kArgument},
    {"sfrac", Kind::kJoined, 1, "/"},
    {"small", Kind::kArgument},
    {"small caps", Kind::kArgument},
    {"smallcaps", Kind::kArgument},
    {"smaller", Kind::kArgument},
    {"snd", Kind::kText, 0, " – "},
    {"spaced en dash", Kind::kText, 0, " – "},
    {"spaced ndash", Kind::kText, 0, " – "},
    {"spaces", Kind::kText, 0, "\u00A0"},
    {"spnd", Kind::kText, 0, " – "},
    {"ss", Kind::kShip},
    {"strong", Kind::kArgument},
    {"sub", Kind::kArgument},
    {"sup", Kind::kArgument},
    {"text", Kind::kArgument},
    {"tlit", Kind::kArgument, 2},
    {"tooltip", Kind::kArgument},
    {"transl", Kind::kArgument, 2},
    {"transliteration", Kind::kArgument, 2},
    {"tt", Kind::kArgument},
    {"underline", Kind::kArgument},
    {"unicode", Kind::kArgument},
    {"unité", Kind::kJoined, 1, " "},
    {"us$", Kind::kPrefixed, 1, "US$"},
    {"uss", Kind::kShip},
    {"val", Kind::kArgument},
    {"vanchor", Kind::kArgument},
    {"var", Kind::kArgument},
    {"visible anchor", Kind::kArgument},
    {"wikt-lang", Kind::kArgument, 2},
    {"zwj", Kind::kText, 0, "\u200D"},
    {"zwnj", Kind::kText, 0, "\u200C"},
    {"£", Kind::kPrefixed, 1, "£"},
    {"·", Kind::kText, 0, " · "},
    {"–", Kind::kText, 0, " – "},
    {"—", Kind::kText, 0, " — "},
    {"•", Kind::kText, 0, " • "},
    {"€", Kind::kPrefixed, 1, "€"},
    {"ルビ", Kind::kArgument},
    {"仮リンク", Kind::kArgument},
    {"読み仮名", Kind::kArgument},
};
static_assert(std::is_sorted(std::begin(kInline), std::end(kInline), [](const InlineTemplate& a, const InlineTemplate& b) { return a.name < b.name; }));

/// Returns the template's name in lower case (ASCII letters alone) with spaces for underscores.
std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

const InlineTemplate* find(std::string_view name) noexcept {
  const auto* found = std::lower_bound(std::begin(kInline), std::end(kInline), name, [](const InlineTemplate& entry, std::string_view key) { return entry.name < key; });
  return found != std::end(kInline) && found->name == name ? found : nullptr;
}

std::size_t number_of(std::string_view name) noexcept {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

/// Returns the argument of that number, counted among those without a name or named by a number; "" where there is none.
std::string_view argument(Arguments arguments, std::size_t number) noexcept {
  std::size_t count = 0;
  std::string_view found;
  for (const auto& [name, value] : arguments)
    if ((name.empty() ? ++count : number_of(name)) == number) found = trim(value);
  return found;
}

std::string_view named(Arguments arguments, std::string_view key) noexcept {
  for (const auto& [name, value] : arguments)
    if (name == key) return trim(value);
  return {};
}

void join(Arguments arguments, std::string_view separator, std::string& out) {
  bool first = true;
  for (const auto& [name, value] : arguments) {
    if (!name.empty() || trim(value).empty()) continue;
    if (!first) out += separator;
    out += trim(value);
    first = false;
  }
}

/// {{convert|5|km|mi}}, {{convert|5|to|7|km}}, {{convert|6|ft|1|in|m}}: what is converted, without what it is converted to.
void convert(Arguments arguments, std::string& out) {
  static constexpr std::string_view kRanges[] = {"-", "–", "and", "by", "or", "to", "x", "×", "+/-", "±", "&", "to about"};
  const auto is_range = [](std::string_view text) { return std::find(std::begin(kRanges), std::end(kRanges), text) != std::end(kRanges); };
  const auto is_number = [](std::string_view text) { return !text.empty() && (text.front() >= '0' && text.front() <= '9'); };
  out += argument(arguments, 1);
  std::size_t next = 2;
  for (; is_range(argument(arguments, next)); next += 2) {
    const std::string_view range = argument(arguments, next);
    if (range == "-" || range == "–") out += "–";
    else out.append(" ").append(range).append(" ");
    out += argument(arguments, next + 1);
  }
  if (argument(arguments, next).empty()) return;
  out.append(" ").append(argument(arguments, next));
  // Feet and inches, pounds and ounces: a second number with its own unit.
  if (is_number(argument(arguments, next + 1)) && !argument(arguments, next + 2).empty() && !is_number(argument(arguments, next + 2)))
    out.append(" ").append(argument(arguments, next + 1)).append(" ").append(argument(arguments, next + 2));
}

/// The kinds whose text is that of an argument. Quotations name it.
void render_argument(Arguments arguments, std::size_t number, std::string& out) {
  std::string_view text = argument(arguments, number);
  if (text.empty()) text = named(arguments, "text");
  if (text.empty()) text = named(arguments, "quote");
  out += text;
}

bool has_text(Arguments arguments) noexcept {
  return std::any_of(arguments.begin(), arguments.end(), [](const TemplateArgument& entry) { return !trim(entry.value).empty(); });
}

}  // namespace

std::string_view trim(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

bool render_template(std::string_view name, Arguments arguments, std::string_view title, std::string& out) {
  if (name.size() > 100) return false;
  const std::string key = folded(name);
  if (key == "pagename" || key == "fullpagename" || key == "subst:pagename") {
    out += title;
    return true;
  }
  // Functions that change the case or the form of their argument, and stand for it.
  for (const std::string_view function : {"formatnum:", "lc:", "uc:", "lcfirst:", "ucfirst:"})
    if (key.starts_with(function)) {
      out += trim(name.substr(function.size()));
      return true;
    }
  if (key.starts_with("lang-") || key.starts_with("script/")) {
    render_argument(arguments, 1, out);
    return has_text(arguments);
  }
  const InlineTemplate* known = find(key);
  if (known == nullptr) return false;
  if (known->kind == Kind::kText) {
    out += known->text;
    return true;
  }
  if (!has_text(arguments)) return false;
  switch (known->kind) {
    case Kind::kArgument: render_argument(arguments, known->number, out); break;
    case Kind::kPrefixed: out.append(known->text).append(argument(arguments, 1)); break;
    case Kind::kJoined: join(arguments, known->text, out); break;
    case Kind::kConvert: convert(arguments, out); break;
    case Kind::kShip: out.append(trim(name)).append(" ").append(argument(arguments, 1)); break;
    case Kind::kText: break;
  }
  return true;
}

}  // namespace flowrun::readers
