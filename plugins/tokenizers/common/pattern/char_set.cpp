#include "char_set.hpp"

#include <algorithm>
#include <string>

#include "categories.hpp"

namespace flowrun::tokenizers {

CharSet CharSet::of(std::vector<CodePointRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  CharSet set;
  for (const CodePointRange& range : ranges) {
    if (!set.ranges_.empty() && range.first <= set.ranges_.back().last + 1) {
      set.ranges_.back().last = std::max(set.ranges_.back().last, range.last);
    } else {
      set.ranges_.push_back(range);
    }
  }
  set.fill_ascii();
  return set;
}

void CharSet::fill_ascii() noexcept {
  for (const CodePointRange& range : ranges_)
    for (std::uint32_t c = range.first; c <= range.last && c < 128; ++c) ascii_[c >> 6] |= std::uint64_t{1} << (c & 63);
}

bool CharSet::contains_beyond_ascii(std::uint32_t code_point) const noexcept {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), code_point, [](std::uint32_t c, const auto& range) { return c < range.first; });
  return after != ranges_.begin() && code_point <= std::prev(after)->last;
}

CharSet CharSet::united(const CharSet& other) const {
  std::vector<CodePointRange> all = ranges_;
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  return of(std::move(all));
}

CharSet CharSet::complement() const {
  CharSet set;
  std::uint32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) set.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kInvalidByte) set.ranges_.push_back({next, kInvalidByte});
  set.fill_ascii();
  return set;
}

CharSet CharSet::intersected(const CharSet& other) const { return complement().united(other.complement()).complement(); }

namespace {

// One bit a category.
using Categories = std::uint32_t;

constexpr Categories bit(Category value) { return Categories{1} << static_cast<int>(value); }

// Returns the categories whose two-letter name begins with `prefix`; none if there is no such name.
Categories categories_named(std::string_view prefix) {
  Categories found = 0;
  for (int i = 0; i < kCategoryCount; ++i) {
    const char lower[] = {static_cast<char>(kCategoryNames[2 * i] | 0x20), kCategoryNames[2 * i + 1]};
    if (!prefix.empty() && std::string_view(lower, 2).substr(0, prefix.size()) == prefix) found |= Categories{1} << i;
  }
  return found;
}

CharSet set_of(Categories categories) {
  std::vector<CodePointRange> ranges;
  for (std::uint32_t c = 0; c < kInvalidByte; ++c) {
    if ((categories & bit(category(c))) == 0) continue;
    if (!ranges.empty() && ranges.back().last + 1 == c) {
      ranges.back().last = c;
    } else {
      ranges.push_back({c, c});
    }
  }
  if ((categories & bit(Category::kCn)) != 0) ranges.push_back({kInvalidByte, kInvalidByte});
  return CharSet::of(std::move(ranges));
}

std::optional<CharSet> ranges_named(std::string_view name) {
  for (const RangeName& known : kRangeNames)
    if (name == known.name) return CharSet::of({kNamedRanges + known.begin, kNamedRanges + known.end});
  return std::nullopt;
}

CharSet with_ranges(Categories categories, std::string_view name) { return set_of(categories).united(*ranges_named(name)); }

struct LongName {
  std::string_view name, short_name;
};

// PropertyValueAliases.txt, general category and script, without spaces and case.
constexpr LongName kLongNames[] = {
    {"other", "c"}, {"control", "cc"}, {"format", "cf"}, {"unassigned", "cn"}, {"privateuse", "co"}, {"surrogate", "cs"}, {"letter", "l"},
    {"lowercaseletter", "ll"}, {"modifierletter", "lm"}, {"otherletter", "lo"}, {"titlecaseletter", "lt"}, {"uppercaseletter", "lu"},
    {"mark", "m"}, {"combiningmark", "m"}, {"spacingmark", "mc"}, {"enclosingmark", "me"}, {"nonspacingmark", "mn"}, {"number", "n"},
    {"decimalnumber", "nd"}, {"letternumber", "nl"}, {"othernumber", "no"}, {"punctuation", "p"}, {"connectorpunctuation", "pc"},
    {"dashpunctuation", "pd"}, {"closepunctuation", "pe"}, {"finalpunctuation", "pf"}, {"initialpunctuation", "pi"}, {"otherpunctuation", "po"},
    {"openpunctuation", "ps"}, {"symbol", "s"}, {"currencysymbol", "sc"}, {"modifiersymbol", "sk"}, {"mathsymbol", "sm"}, {"othersymbol", "so"},
    {"separator", "z"}, {"lineseparator", "zl"}, {"paragraphseparator", "zp"}, {"spaceseparator", "zs"}, {"punct", "p"}, {"hani", "han"},
    {"hira", "hiragana"}, {"kana", "katakana"}, {"hang", "hangul"}, {"latn", "latin"}, {"cyrl", "cyrillic"}, {"grek", "greek"},
    {"arab", "arabic"}, {"hebr", "hebrew"}, {"deva", "devanagari"}, {"alphabetic", "alpha"}, {"lowercase", "lower"}, {"uppercase", "upper"},
    {"whitespace", "space"}};

std::string plain(std::string_view name) {
  std::string result;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_') result += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  for (const LongName& known : kLongNames)
    if (result == known.name) return std::string(known.short_name);
  return result;
}

}  // namespace

std::optional<CharSet> posix_set(std::string_view name) {
  const Categories marks = categories_named("m"), digits = bit(Category::kNd), letters = categories_named("l") | bit(Category::kNl);
  const Categories spaces = categories_named("z"), others = bit(Category::kCc) | bit(Category::kCn) | bit(Category::kCs);
  const CharSet controls = CharSet('\t', '\r').united(CharSet(0x85, 0x85));  // the white space that is not a separator
  if (name == "alpha") return with_ranges(letters, "otheralphabetic");
  if (name == "alnum") return with_ranges(letters | digits, "otheralphabetic");
  if (name == "word") return with_ranges(letters | digits | marks | bit(Category::kPc), "otheralphabetic");
  if (name == "lower") return with_ranges(bit(Category::kLl), "otherlowercase");
  if (name == "upper") return with_ranges(bit(Category::kLu), "otheruppercase");
  if (name == "blank") return set_of(bit(Category::kZs)).united(CharSet('\t', '\t'));
  if (name == "cntrl") return set_of(bit(Category::kCc));
  if (name == "digit") return set_of(digits);
  if (name == "graph") return set_of(spaces | others).complement().intersected(CharSet(0, 0x10FFFF));
  if (name == "print") return set_of((spaces & ~bit(Category::kZs)) | others).complement().intersected(CharSet(0, 0x10FFFF));
  if (name == "punct") return set_of(categories_named("p") | categories_named("s"));
  if (name == "space") return set_of(spaces).united(controls);
  if (name == "xdigit") return CharSet('0', '9').united(CharSet('a', 'f')).united(CharSet('A', 'F'));
  if (name == "ascii") return CharSet(0, 0x7F);
  return std::nullopt;
}

std::optional<CharSet> property_set(std::string_view name) {
  const std::string key = plain(name);
  if (key == "any") return CharSet(0, kInvalidByte);
  if (key == "assigned") return set_of(bit(Category::kCn)).complement();
  if (key == "lc") return set_of(bit(Category::kLl) | bit(Category::kLt) | bit(Category::kLu));
  if (const Categories categories = key.size() <= 2 ? categories_named(key) : 0) return set_of(categories);
  // The tables' own names, and one that Oniguruma takes for two sets: see word_set().
  if (key.substr(0, 5) == "other" || key == "word") return std::nullopt;
  if (auto set = posix_set(key)) return set;
  return ranges_named(key);
}

const CharSet& word_set() {
  static const CharSet set = posix_set("word")->united(CharSet::of({{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}}));
  return set;
}

}  // namespace flowrun::tokenizers
