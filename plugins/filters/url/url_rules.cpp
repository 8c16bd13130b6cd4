#include "url_rules.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::filters {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_word(char c) noexcept { return is_digit(c) || is_letter(c); }

/// The different runs of letters and digits, in any order.
std::vector<std::string_view> words_of(std::string_view url) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < url.size();) {
    const std::size_t begin = at;
    while (at < url.size() && is_word(url[at])) ++at;
    if (at > begin) words.push_back(url.substr(begin, at - begin));
    else ++at;
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace

std::string normalize_url(std::string_view text) {
  std::string normal;
  for (const char c : text)
    if (is_word(c)) normal += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return normal;
}

UrlRules::UrlRules(UrlLists lists, PublicSuffixes suffixes, std::int64_t soft_word_threshold)
    : domains_(std::move(lists.domains)),
      urls_(std::move(lists.urls)),
      banned_(std::move(lists.banned_words)),
      soft_(std::move(lists.soft_banned_words)),
      banned_words_(banned_.begin(), banned_.end()),
      soft_words_(soft_.begin(), soft_.end()),
      subwords_(lists.banned_subwords),
      suffixes_(std::move(suffixes)),
      soft_word_threshold_(soft_word_threshold) {}

std::optional<Verdict> UrlRules::check(std::string_view url) const {
  if (domains_.size() > 0) {
    const Domain domain = suffixes_.domain_of(url);
    if (!domain.registered.empty() && domains_.contains(domain.registered)) return Verdict{"domain"};
    if (!domain.full.empty() && domains_.contains(domain.full)) return Verdict{"subdomain"};
  }
  if (urls_.contains(url)) return Verdict{"url"};

  const std::vector<std::string_view> words = words_of(url);
  if (std::any_of(words.begin(), words.end(), [&](std::string_view word) { return banned_words_.contains(word); })) return Verdict{"hard_blacklisted"};
  if (!soft_words_.empty())
    if (const auto soft = std::count_if(words.begin(), words.end(), [&](std::string_view word) { return soft_words_.contains(word); }); soft >= soft_word_threshold_)
      return Verdict{"soft_blacklisted", static_cast<double>(soft), static_cast<double>(soft_word_threshold_)};
  if (subwords_.find(normalize_url(url), [](std::uint32_t, std::size_t) { return true; })) return Verdict{"blacklisted_subword"};
  return std::nullopt;
}

}  // namespace flowrun::filters
