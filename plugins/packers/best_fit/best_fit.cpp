#include "best_fit.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <flowrun/error.hpp>

#include "packers/common/numbers_file.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/best_fit";
constexpr const char* kWindowsFile = "/windows.bin";
constexpr const char* kStagesFile = "/stages.bin";

}  // namespace


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

void WindowIndex::append(const StageRun& stage, std::int64_t documents, std::int64_t rows) {
  if (sections_.empty() || !sections_.back().is_of(stage)) sections_.push_back({stage.stage, stage.sequence_length, window_count(), place_count()});
  first_documents_.push_back(first_documents_.back() + documents);
  first_rows_.push_back(first_rows_.back() + rows);
}

std::int64_t WindowIndex::settled_count() const noexcept {
  if (sections_.empty()) return 0;
  const std::size_t last = sections_.size() - 1;
  return sections_[last].place + row_count(last) / rows_in_place(last);
}

WindowIndex::Window WindowIndex::window(std::int64_t number) const noexcept {
  const auto after = std::upper_bound(sections_.begin(), sections_.end(), number, [](std::int64_t value, const Section& section) { return value < section.begin; });
  const auto i = static_cast<std::size_t>(number);
  return {first_documents_[i], first_documents_[i + 1] - first_documents_[i], (after - 1)->sequence_length};
}

std::optional<WindowIndex::Row> WindowIndex::row(std::int64_t place, std::int64_t number) const noexcept {
  const std::size_t section = section_of(sections_, place);
  const std::int64_t row = first_row(section) + (place - sections_[section].place) * rows_in_place(section) + number;
  if (row >= end_row(section)) return std::nullopt;
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row), begin = after - 1;
  return Row{begin - first_rows_.begin(), row - *begin, *after - *begin};
}

void WindowIndex::save(const std::string& folder) const {
  std::vector<std::int64_t> numbers(first_documents_);
  numbers.insert(numbers.end(), first_rows_.begin(), first_rows_.end());
  save_numbers(folder + kWindowsFile, kId, numbers);
  save_sections(folder + kStagesFile, kId, sections_);
}

WindowIndex WindowIndex::load(const std::string& folder, std::int64_t place_tokens) {
  const auto numbers = load_numbers(folder + kWindowsFile, kId);
  WindowIndex index(place_tokens);
  index.sections_ = load_sections(folder + kStagesFile, kId);
  if (numbers.size() < 2 || numbers.size() % 2 != 0 || index.sections_.empty() != (numbers.size() == 2))
    throw Error(Code::kCorruptData, folder + kWindowsFile + " has " + std::to_string(numbers.size()) + " numbers for " + std::to_string(index.sections_.size()) + " sections");
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  index.first_documents_.assign(numbers.begin(), middle);
  index.first_rows_.assign(middle, numbers.end());
  return index;
}

}  // namespace flowrun::packers
