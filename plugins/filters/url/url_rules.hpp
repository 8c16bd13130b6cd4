#pragma once

// datatrove 0.10.1's URLFilter (pipeline/filters/url_filter.py): its lists, its normalisation, and its reasons, in its order. Checked against it
// by bench/peers/compare_filters.py.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "entry_set.hpp"
#include "filters/common/verdict.hpp"
#include "filters/common/word_finder.hpp"
#include "public_suffixes.hpp"

namespace flowrun::filters {

/// What a URL is looked up in. Domains and URLs are compared as they are, words after `normalize_url`.
struct UrlLists {
  EntrySet domains, urls;
  std::vector<std::string> banned_words, soft_banned_words, banned_subwords;
};

/// Returns the ASCII letters and digits of a text, in lower case.
std::string normalize_url(std::string_view text);

/// Decides on URLs. Safe to use from many threads at once.
class UrlRules {
 public:
  /// `suffixes` say what the domain of a host is. A URL with `soft_word_threshold` different words of the soft list goes.
  UrlRules(UrlLists lists, PublicSuffixes suffixes, std::int64_t soft_word_threshold);
  /// Returns why a URL of valid UTF-8 goes: domain, subdomain, url, hard_blacklisted, soft_blacklisted or blacklisted_subword.
  std::optional<Verdict> check(std::string_view url) const;

 private:
  using Words = std::unordered_set<std::string_view>;

  EntrySet domains_, urls_;
  const std::vector<std::string> banned_, soft_;  ///< what the views of the sets point into
  Words banned_words_, soft_words_;
  WordFinder subwords_;
  PublicSuffixes suffixes_;
  std::int64_t soft_word_threshold_;
};

}  // namespace flowrun::filters
