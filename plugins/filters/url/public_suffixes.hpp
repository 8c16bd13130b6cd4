#pragma once

// Public suffixes (publicsuffix.org) as tldextract 5.4.0 applies them, which datatrove's URLFilter uses: the part of ICANN alone, without the
// suffixes of private owners. Checked against it by bench/peers/compare_filters.py.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filters/common/text.hpp"

namespace flowrun::filters {

/// The parts of a host that lists of domains are looked up by; both empty where it has no public suffix or nothing before it.
struct Domain {
  std::string registered;  ///< the suffix and one label before it, "bbc.co.uk"
  std::string full;        ///< all of it, "news.bbc.co.uk"
};

/// Cuts hosts. Safe to use from many threads at once.
class PublicSuffixes {
 public:
  /// Takes the text of public_suffix_list.dat.
  explicit PublicSuffixes(std::string_view list);
  std::size_t size() const noexcept { return count_; }
  /// Cuts the host out of a URL, as leniently as tldextract, and this one into its parts; the case of letters stays.
  Domain domain_of(std::string_view url) const;

 private:
  struct Node {
    std::unordered_map<std::string, std::uint32_t> children;  ///< by label, in lower case; also as "xn--..."
    bool ends = false;
  };
  void add(std::string_view suffix);
  std::uint32_t child(std::uint32_t node, const std::string& label);
  std::size_t suffix_begin(const std::vector<std::string_view>& labels) const;

  CodePointClasses classes_;
  std::vector<Node> nodes_{1};
  std::size_t count_ = 0;
};

}  // namespace flowrun::filters
