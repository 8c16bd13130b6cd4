#pragma once

// Several datasets read as one: the rows of the first, then those of the second, and so on. For indexed nodes, whose port may have several
// inputs.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"
#include "message.hpp"
#include "node.hpp"

namespace flowrun {

/// Datasets of one schema, one after another. Only the last may be without end. Its functions may run on many threads at once.
class ConcatenatedDataset {
 public:
  ConcatenatedDataset() = default;
  /// `parts` must outlive this. Throws kInvalidArgument for none, for unequal schemas, and for an endless one before the last.
  explicit ConcatenatedDataset(std::span<const Dataset> parts) : parts_(parts) {
    if (parts.empty()) throw Error(Code::kInvalidArgument, "the node has no input dataset");
    for (const Dataset& part : parts) {
      if (!(part.schema() == parts.front().schema())) throw Error(Code::kInvalidArgument, "the node's input datasets have different columns");
      const std::int64_t rows = part.count();
      if (starts_.back() < 0) throw Error(Code::kInvalidArgument, "a dataset without end is followed by another, which could never be reached");
      starts_.push_back(rows < 0 ? -1 : starts_.back() + rows);
    }
  }

  /// Returns the number of rows, -1 if there is no end.
  std::int64_t count() const noexcept { return starts_.back(); }
  const Field& schema() const { return parts_.front().schema(); }
  const Field& index_schema() const { return parts_.front().index_schema(); }

  /// Gives rows [first, first + n) without `input_ids`, with `length`.
  OwnedArray index(const Call& call, std::int64_t first, std::int64_t n) const { return get_range(call, &Dataset::index, index_schema(), first, n); }
  /// Gives rows [first, first + n) whole.
  OwnedArray read(const Call& call, std::int64_t first, std::int64_t n) const { return get_range(call, &Dataset::read, schema(), first, n); }

  /// Gives any rows in any order, as `index` does; rows that follow each other are asked for together.
  OwnedArray index(const Call& call, std::span<const std::int64_t> rows) const { return get_rows(call, &Dataset::index, index_schema(), rows); }
  /// Gives any rows in any order, as `read` does; rows that follow each other are asked for together.
  OwnedArray read(const Call& call, std::span<const std::int64_t> rows) const { return get_rows(call, &Dataset::read, schema(), rows); }

 private:
  using Get = OwnedArray (Dataset::*)(const Call&, std::int64_t, std::int64_t) const;

  /// Reads [first, first + n) piece by piece where it crosses a border and appends the pieces.
  void append_range(const Call& call, Get get, std::int64_t first, std::int64_t n, std::vector<OwnedArray>* pieces) const {
    if (first < 0 || n < 0 || (count() >= 0 && first > count() - n))
      throw Error(Code::kInvalidArgument, "rows " + std::to_string(first) + " to " + std::to_string(first + n) + " of a dataset of " + std::to_string(count()));
    for (std::size_t part = 0; n > 0; ++part) {
      const std::int64_t end = starts_[part + 1];
      if (end >= 0 && first >= end) continue;
      const std::int64_t rows = end < 0 ? n : std::min(n, end - first);
      pieces->push_back((parts_[part].*get)(call, first - starts_[part], rows));
      first += rows;
      n -= rows;
    }
  }

  OwnedArray get_range(const Call& call, Get get, const Field& schema, std::int64_t first, std::int64_t n) const {
    std::vector<OwnedArray> pieces;
    append_range(call, get, first, n, &pieces);
    if (pieces.size() == 1) return std::move(pieces.front());
    std::vector<RowRef> order;
    for (std::size_t i = 0; i < pieces.size(); ++i)
      for (std::int64_t row = 0; row < pieces[i].get().length; ++row) order.push_back({i, row});
    return select_rows(pieces, schema, order);
  }

  OwnedArray get_rows(const Call& call, Get get, const Field& schema, std::span<const std::int64_t> rows) const {
    std::vector<std::int64_t> sorted(rows.begin(), rows.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<OwnedArray> pieces;
    std::vector<RowRef> places;  // where each of `sorted` is
    for (std::size_t i = 0; i < sorted.size();) {
      std::size_t end = i + 1;
      while (end < sorted.size() && sorted[end] == sorted[end - 1] + 1) ++end;
      const std::size_t before = pieces.size();
      append_range(call, get, sorted[i], static_cast<std::int64_t>(end - i), &pieces);
      for (std::size_t piece = before; piece < pieces.size(); ++piece)
        for (std::int64_t row = 0; row < pieces[piece].get().length; ++row) places.push_back({piece, row});
      i = end;
    }
    std::vector<RowRef> order;
    order.reserve(rows.size());
    for (const std::int64_t row : rows) order.push_back(places[static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), row) - sorted.begin())]);
    return select_rows(pieces, schema, order);
  }

  std::span<const Dataset> parts_;
  std::vector<std::int64_t> starts_{0};  ///< first row of each part, and the end; -1: no end
};

}  // namespace flowrun
