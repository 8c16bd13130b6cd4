#include "dump_kind.hpp"

#include <algorithm>

namespace flowrun::readers {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool has(std::string_view text, std::string_view part) noexcept { return text.find(part) != std::string_view::npos; }

/// Returns the name of the first element, behind declarations and comments.
std::string_view root_name(std::string_view text) noexcept {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const std::string_view name = text.substr(at + 1, text.find_first_of(" \t\r\n/>", at) - at - 1);
    if (!name.empty() && name[0] != '?' && name[0] != '!') return name;
  }
  return {};
}

bool is_sql(std::string_view text) noexcept {
  return (text.starts_with("--") || text.starts_with("/*")) && (has(text, "CREATE TABLE") || has(text, "INSERT INTO") || has(text, " dump "));
}

std::string found_in(std::string_view text) {
  if (is_sql(text)) return "an SQL dump";
  if (text[0] == '{' || text[0] == '[') return "JSON";
  const std::string_view root = text[0] == '<' ? root_name(text) : std::string_view();
  if (!root.empty()) {
    const char* const known = root == "feed" ? ", a dump of abstracts" : root == "posts" ? ", posts of Stack Exchange, which readers/stackexchange reads" : "";
    return "XML whose root is <" + std::string(root.substr(0, 40)) + ">" + known;
  }
  std::string begin(text.substr(0, 16));
  std::replace_if(begin.begin(), begin.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return "a file that begins '" + begin + "'";
}

}  // namespace

std::optional<std::string> describe_other_dump(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  // Where the root's tag is damaged the first pages are still in sight.
  if (text.empty() || (!is_sql(text) && (has(text, "<mediawiki") || has(text, "<page>")))) return std::nullopt;
  return "found " + found_in(text) + ", expected a dump of pages, whose root is <mediawiki>: take a file called *-pages-articles.xml.bz2 or *-pages-articles-multistream.xml.bz2";
}

}  // namespace flowrun::readers
