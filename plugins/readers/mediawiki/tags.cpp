#include "tags.hpp"

#include <algorithm>
#include <iterator>

namespace flowrun::readers {
namespace {

struct KnownTag {
  std::string_view name;
  TagAction action;
};

constexpr KnownTag kKnown[] = {
    {"abbr", TagAction::kStrip},           {"b", TagAction::kStrip},                {"bdi", TagAction::kStrip},
    {"bdo", TagAction::kStrip},            {"big", TagAction::kStrip},              {"blockquote", TagAction::kBreak},
    {"br", TagAction::kBreak},             {"caption", TagAction::kBreak},          {"categorytree", TagAction::kDrop},
    {"ce", TagAction::kChemistry},         {"center", TagAction::kBreak},           {"charinsert", TagAction::kDrop},
    {"chem", TagAction::kChemistry},       {"cite", TagAction::kStrip},             {"code", TagAction::kStrip},
    {"col", TagAction::kStrip},            {"colgroup", TagAction::kStrip},         {"data", TagAction::kStrip},
    {"dd", TagAction::kBreak},             {"del", TagAction::kStrip},              {"dfn", TagAction::kStrip},
    {"div", TagAction::kBreak},            {"dl", TagAction::kBreak},               {"dt", TagAction::kBreak},
    {"em", TagAction::kStrip},             {"font", TagAction::kStrip},             {"gallery", TagAction::kDrop},
    {"graph", TagAction::kDrop},           {"h1", TagAction::kBreak},               {"h2", TagAction::kBreak},
    {"h3", TagAction::kBreak},             {"h4", TagAction::kBreak},               {"h5", TagAction::kBreak},
    {"h6", TagAction::kBreak},             {"hiero", TagAction::kDrop},             {"hr", TagAction::kBreak},
    {"i", TagAction::kStrip},              {"imagemap", TagAction::kDrop},          {"includeonly", TagAction::kDrop},
    {"indicator", TagAction::kDrop},       {"inputbox", TagAction::kDrop},          {"ins", TagAction::kStrip},
    {"kbd", TagAction::kStrip},            {"langconvert", TagAction::kStrip},      {"li", TagAction::kBreak},
    {"mapframe", TagAction::kDrop},        {"maplink", TagAction::kDrop},           {"mark", TagAction::kStrip},
    {"math", TagAction::kMath},            {"noinclude", TagAction::kStrip},        {"nowiki", TagAction::kNowiki},
    {"ol", TagAction::kBreak},             {"onlyinclude", TagAction::kStrip},      {"p", TagAction::kBreak},
    {"poem", TagAction::kBreak},           {"pre", TagAction::kVerbatim},           {"q", TagAction::kStrip},
    {"ref", TagAction::kReference},        {"references", TagAction::kDrop},        {"rp", TagAction::kStrip},
    {"rt", TagAction::kStrip},             {"ruby", TagAction::kStrip},             {"s", TagAction::kStrip},
    {"samp", TagAction::kStrip},           {"score", TagAction::kDrop},             {"section", TagAction::kStrip},
    {"small", TagAction::kStrip},          {"source", TagAction::kVerbatim},        {"span", TagAction::kStrip},
    {"strike", TagAction::kStrip},         {"strong", TagAction::kStrip},           {"sub", TagAction::kStrip},
    {"sup", TagAction::kStrip},            {"syntaxhighlight", TagAction::kVerbatim}, {"table", TagAction::kTable},
    {"tbody", TagAction::kStrip},          {"td", TagAction::kCell},                {"templatedata", TagAction::kDrop},
    {"templatestyles", TagAction::kDrop},  {"tfoot", TagAction::kStrip},            {"th", TagAction::kCell},
    {"thead", TagAction::kStrip},          {"time", TagAction::kStrip},             {"timeline", TagAction::kDrop},
    {"tr", TagAction::kBreak},             {"translate", TagAction::kStrip},        {"tt", TagAction::kStrip},
    {"tvar", TagAction::kStrip},           {"u", TagAction::kStrip},                {"ul", TagAction::kBreak},
    {"var", TagAction::kStrip},            {"wbr", TagAction::kStrip},
};
static_assert(std::size(kKnown) <= kTagCount);
static_assert(std::is_sorted(std::begin(kKnown), std::end(kKnown), [](const KnownTag& a, const KnownTag& b) { return a.name < b.name; }));

constexpr std::size_t kLongestName = 15;  // syntaxhighlight

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_name(char c) noexcept { return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'); }

const KnownTag* find(std::string_view name) noexcept {
  char buffer[kLongestName];
  if (name.size() > kLongestName) return nullptr;
  std::transform(name.begin(), name.end(), buffer, lower);
  const std::string_view key(buffer, name.size());
  const auto* found = std::lower_bound(std::begin(kKnown), std::end(kKnown), key, [](const KnownTag& tag, std::string_view text) { return tag.name < text; });
  return found != std::end(kKnown) && found->name == key ? found : nullptr;
}

}  // namespace

Tag read_tag(std::string_view text) noexcept {
  Tag tag;
  tag.closing = text.size() > 1 && text[1] == '/';
  const std::size_t begin = tag.closing ? 2 : 1;
  std::size_t end = begin;
  while (end < text.size() && end - begin <= kLongestName && is_name(text[end])) ++end;
  tag.name = text.substr(begin, end - begin);
  const KnownTag* known = end < text.size() && std::string_view(" \t\r\n/>").find(text[end]) != std::string_view::npos ? find(tag.name) : nullptr;
  if (known == nullptr) return {};
  const std::size_t close = text.find_first_of("<>", end);
  if (close == std::string_view::npos || text[close] == '<') return {};
  tag.action = known->action;
  tag.number = static_cast<std::uint8_t>(known - kKnown);
  tag.self_closing = text[close - 1] == '/';
  tag.size = close + 1;
  return tag;
}

std::size_t find_closing(std::string_view text, const Tag& tag) noexcept {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const Tag other = read_tag(text.substr(at));
    if (other.size == 0 || other.number != tag.number) continue;
    if (other.closing) return at;
    if (tag.action == TagAction::kReference && !other.self_closing) return std::string_view::npos;
  }
  return std::string_view::npos;
}

}  // namespace flowrun::readers
