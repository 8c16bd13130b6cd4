#pragma once

// What packers ask of their input dataset, and the rows that they make of it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <flowrun/dataset.hpp>
#include <flowrun/error.hpp>
#include <flowrun/node.hpp>

namespace flowrun::packers {

/// The label of a token that no objective scores (SDK, native.hpp: Batch::labels).
inline constexpr std::int64_t kNotScored = -100;

/// Returns the numbers of tokens of documents [first, first + n).
inline std::vector<std::uint32_t> read_lengths(const Call& call, const ConcatenatedDataset& documents, std::int64_t first, std::int64_t n) {
  const OwnedArray rows = documents.index(call, first, n);
  const auto* lengths = BatchView(rows.get(), documents.index_schema()).values<std::uint32_t>("length", "I");
  return {lengths, lengths + n};
}

/// Returns the id that ends a document, which tokens bring along in the column `endoftext_id` where it is not 0.
inline std::uint32_t endoftext_of(const Call& call, const ConcatenatedDataset& documents) {
  if (documents.count() == 0 || documents.index_schema().find("endoftext_id") < 0) return 0;
  const OwnedArray row = documents.index(call, 0, 1);
  return *BatchView(row.get(), documents.index_schema()).values<std::uint32_t>("endoftext_id", "I");
}

/// The parts of an index that were used last, by number. [any thread]
template <class Part>
class RecentParts {
 public:
  explicit RecentParts(std::size_t capacity) : capacity_(capacity) {}
  /// Returns part `number`, made by `make()` where it is not kept. Two threads may make the same part: that costs a little and spares each a
  /// wait for the other's reading.
  template <class Make>
  std::shared_ptr<const Part> get(std::int64_t number, Make&& make) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [kept, part] : parts_)
        if (kept == number) return part;
    }
    auto part = std::make_shared<const Part>(make());
    const std::lock_guard lock(mutex_);
    if (parts_.size() < capacity_) parts_.emplace_back(number, part);
    else parts_[oldest_++ % capacity_] = {number, part};
    return part;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;  // protects all below
  std::vector<std::pair<std::int64_t, std::shared_ptr<const Part>>> parts_;
  std::size_t oldest_ = 0;
};

/// Rows of one length, of which some is padding at the right that no objective scores.
class PaddedRows {
 public:
  PaddedRows(std::int64_t rows, std::int64_t columns, std::uint32_t pad_id)
      : rows_(rows), columns_(columns), input_ids_(static_cast<std::size_t>(rows * columns), pad_id), labels_(input_ids_.size(), kNotScored) {}
  /// Puts tokens that are scored into a row, from `column` on. They must fit.
  void put(std::int64_t row, std::int64_t column, std::span<const std::uint32_t> tokens) {
    const auto at = row * columns_ + column;
    std::copy(tokens.begin(), tokens.end(), input_ids_.begin() + at);
    std::copy(tokens.begin(), tokens.end(), labels_.begin() + at);
  }
  /// Changes the label at a place.
  void set_label(std::int64_t row, std::int64_t column, std::int64_t label) { labels_[static_cast<std::size_t>(row * columns_ + column)] = label; }
  /// Gives the tensors `input_ids` and `labels`.
  void move_to(BatchBuilder& out) {
    out.add("input_ids", std::move(input_ids_), rows_, columns_);
    out.add("labels", std::move(labels_), rows_, columns_);
  }

 private:
  std::int64_t rows_, columns_;
  std::vector<std::int64_t> input_ids_, labels_;
};

}  // namespace flowrun::packers
