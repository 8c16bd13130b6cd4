#include "best_fit.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace flowrun::packers {

Packing::Packing(std::span<const std::uint32_t> lengths, std::int64_t sequence_length, LongDocument long_document) {
  cut(lengths, sequence_length, long_document);
  sort_by_row(choose_rows(sequence_length));
}

void Packing::cut(std::span<const std::uint32_t> lengths, std::int64_t sequence_length, LongDocument long_document) {
  for (std::size_t document = 0; document < lengths.size(); ++document) {
    const std::int64_t length = std::int64_t{lengths[document]} + 1;
    const std::int64_t kept = long_document == LongDocument::kCrop ? std::min(length, sequence_length) : length;
    for (std::int64_t offset = 0; offset < kept; offset += sequence_length)
      pieces_.push_back({static_cast<std::uint32_t>(document), static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(std::min(sequence_length, kept - offset))});
    token_count_ += kept;
    cropped_count_ += length - kept;
    split_count_ += length > sequence_length ? 1 : 0;
  }
}

/// Returns the row of each piece.
std::vector<std::uint32_t> Packing::choose_rows(std::int64_t sequence_length) {
  std::vector<std::uint32_t> longest_first(pieces_.size()), rows(pieces_.size());
  std::iota(longest_first.begin(), longest_first.end(), 0u);
  std::stable_sort(longest_first.begin(), longest_first.end(), [&](std::uint32_t a, std::uint32_t b) { return pieces_[a].length > pieces_[b].length; });
  std::set<std::pair<std::uint32_t, std::uint32_t>> open;  // room left, row: the first that is not below a piece's length is the best fit
  std::uint32_t row_count = 0;
  for (const std::uint32_t i : longest_first) {
    const std::uint32_t length = pieces_[i].length;
    auto room = static_cast<std::uint32_t>(sequence_length);
    if (const auto best = open.lower_bound({length, 0}); best != open.end()) {
      room = best->first;
      rows[i] = best->second;
      open.erase(best);
    } else {
      rows[i] = row_count++;
    }
    if (room > length) open.insert({room - length, rows[i]});
  }
  begins_.assign(std::size_t{row_count} + 1, 0);
  return rows;
}

void Packing::sort_by_row(const std::vector<std::uint32_t>& rows) {
  for (const std::uint32_t row : rows) ++begins_[row + 1];
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  std::vector<std::size_t> next(begins_.begin(), begins_.end() - 1);
  std::vector<Piece> sorted(pieces_.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) sorted[next[rows[i]]++] = pieces_[i];
  pieces_ = std::move(sorted);
}

}  // namespace flowrun::packers
