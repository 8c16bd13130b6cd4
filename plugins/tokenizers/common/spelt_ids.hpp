#pragma once

// Tokens that are others to the reader of ids: a model may need more tokens than its vocabulary has (models/fallback_bytes.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace flowrun::bpe {

/// Ids from some number on, each with its spelling in ids below. Immutable but for `add`.
class SpeltIds {
 public:
  explicit SpeltIds(std::uint32_t first = 0) : first_(first) {}

  /// Gives the next id its spelling.
  void add(std::vector<std::uint32_t> spelling) { spellings_.push_back(std::move(spelling)); }

  /// Puts spellings in the place of such ids in ids[begin..]. Linear.
  void spell_out(std::vector<std::uint32_t>& ids, std::size_t begin) const {
    const auto is_spelt = [&](std::uint32_t id) { return id >= first_; };
    const auto first = std::find_if(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end(), is_spelt);
    if (first == ids.end()) return;
    const std::vector<std::uint32_t> rest(first, ids.end());
    ids.erase(first, ids.end());
    for (const std::uint32_t id : rest) {
      if (!is_spelt(id)) {
        ids.push_back(id);
        continue;
      }
      const auto& spelling = spellings_[id - first_];
      ids.insert(ids.end(), spelling.begin(), spelling.end());
    }
  }

 private:
  std::uint32_t first_;
  std::vector<std::vector<std::uint32_t>> spellings_;
};

}  // namespace flowrun::bpe
