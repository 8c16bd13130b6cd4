#pragma once

// The documents of each domain, and how long they are.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "index_file.hpp"

namespace flowrun::mixers {

/// One domain's documents, in the order of the input. A document that a pass gives several times stands in as many slots.
struct Domain {
  std::string name;
  std::vector<std::int64_t> rows;      ///< of the input, by slot
  std::vector<std::uint32_t> lengths;  ///< in tokens, at least 1, by slot
  std::int64_t token_count = 0;        ///< of one pass: |D_i|
  std::int64_t document_count = 0, unique_tokens = 0;  ///< each document once
};

/// Sorts documents by domain. Cost: 12 bytes a slot. Threads: any number of readers, or one writer.
class DomainIndex {
 public:
  /// Adds the input's next document, which stands in `copies` slots. One without tokens has nothing to give to a mixture: it is counted and left
  /// out, as is one with no copy. Throws kUnsupported for a domain of 2^32 slots or more.
  void append(std::string_view domain, std::uint32_t length, std::int64_t copies = 1);

  /// Returns the domains in the order of their first document.
  const std::vector<Domain>& domains() const noexcept { return domains_; }
  /// Returns the domain of the last document that `append` has put into a slot.
  std::size_t recent() const noexcept { return recent_; }
  /// Returns the number of documents that were added, those left out included.
  std::int64_t row_count() const noexcept { return row_count_; }
  /// Returns how many of them have no token.
  std::int64_t empty_count() const noexcept { return empty_count_; }
  bool has(std::string_view domain) const;

  void save(IndexWriter& out) const;
  static DomainIndex load(IndexReader& in);

 private:
  Domain& domain(std::string_view name);

  std::vector<Domain> domains_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< of domains_, by name
  std::size_t recent_ = 0;                                ///< the domain of the last document: mostly the next one's too
  std::int64_t row_count_ = 0, empty_count_ = 0;
};

}  // namespace flowrun::mixers
