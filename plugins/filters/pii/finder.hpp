#pragma once

// Personal data in text: which spans, of which kind. Plain functions of the text, so that a document's matches do not depend on those before it.

#include <string_view>

#include "match.hpp"

namespace flowrun::filters::pii {

enum class Dialect {
  kFlowrun,    ///< all kinds, with checksums, lengths and registries
  kDatatrove,  ///< datatrove 0.10.1, PIIFormatter: e-mail and IPv4 by its expressions
};

struct FinderOptions {
  Dialect dialect = Dialect::kFlowrun;
  unsigned kinds = (1U << kKindCount) - 1;  ///< bit for each Kind; those that the dialect does not have are ignored
  bool only_public_ips = true;
};

/// Finds matches. Safe to call from many threads at once. Time: linear in the text.
class Finder {
 public:
  explicit Finder(FinderOptions options) : options_(options) {}
  /// Puts the matches of a text of valid UTF-8 into `out`. Where two overlap, the kind that stands first in Kind stays.
  void find(std::string_view text, Matches& out) const;

 private:
  bool wants(Kind kind) const noexcept { return (options_.kinds >> static_cast<unsigned>(kind) & 1U) != 0; }
  void find_datatrove(std::string_view text, Matches& out) const;
  void find_numbers(std::string_view text, Matches& out) const;

  FinderOptions options_;
};

}  // namespace flowrun::filters::pii
