#pragma once

// The index of mixers/weighted: the documents of each domain, and how long they are.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flowrun::mixers {

/// One domain's documents, in the order of the input.
struct Domain {
  std::string name;
  std::vector<std::int64_t> rows;      ///< of the input
  std::vector<std::uint32_t> lengths;  ///< in tokens, at least 1
  std::int64_t token_count = 0;
};

/// Sorts documents by domain. Cost: 12 bytes a document. Threads: any number of readers, or one writer.
class DomainIndex {
 public:
  /// Adds the input's next document. One without tokens has nothing to give to a mixture: it is counted and left out.
  void append(std::string_view domain, std::uint32_t length);

  /// Returns the domains in the order of their first document.
  const std::vector<Domain>& domains() const noexcept { return domains_; }
  /// Returns the number of documents that were added, those left out included.
  std::int64_t row_count() const noexcept { return row_count_; }
  std::int64_t empty_count() const noexcept;
  bool has(std::string_view domain) const;

  /// The number of documents that the mixture gives, -1 if it has no end; stored beside the domains because it takes a walk to find out.
  std::int64_t draw_count = -1;

  /// Writes the index. Throws kIo.
  void save(const std::string& path) const;
  /// Reads an index back. Throws kNotFound where there is no file and kCorruptData where it is not the one that was written.
  static DomainIndex load(const std::string& path);

 private:
  Domain& domain(std::string_view name);

  std::vector<Domain> domains_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< of domains_, by name
  std::size_t recent_ = 0;                                ///< the domain of the last document: mostly the next one's too
  std::int64_t row_count_ = 0;
};

}  // namespace flowrun::mixers
