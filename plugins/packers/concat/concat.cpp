#include "concat.hpp"

#include <flowrun/error.hpp>

#include <algorithm>

#include "packers/common/numbers_file.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/concat";
constexpr std::size_t kHeadNumbers = 3;  ///< before the offsets: kSegmentDocuments, documents, tokens

}  // namespace

void OffsetIndex::append(std::span<const std::uint32_t> lengths) {
  for (const std::uint32_t length : lengths) {
    if (document_count_ % kSegmentDocuments == 0) offsets_.push_back(token_count_);
    ++document_count_;
    token_count_ += std::int64_t{length} + 1;
  }
}

std::int64_t OffsetIndex::segment_of(std::int64_t offset) const noexcept {
  return std::upper_bound(offsets_.begin(), offsets_.end(), offset) - offsets_.begin() - 1;
}

void OffsetIndex::save(const std::string& path) const {
  std::vector<std::int64_t> numbers{kSegmentDocuments, document_count_, token_count_};
  numbers.insert(numbers.end(), offsets_.begin(), offsets_.end());
  save_numbers(path, kId, numbers);
}

OffsetIndex OffsetIndex::load(const std::string& path) {
  const auto numbers = load_numbers(path, kId);
  const std::int64_t documents = numbers.size() < kHeadNumbers ? -1 : numbers[1];
  const std::int64_t expected = (documents + kSegmentDocuments - 1) / kSegmentDocuments, found = static_cast<std::int64_t>(numbers.size() - kHeadNumbers);
  if (documents < 0 || numbers[0] != kSegmentDocuments || found != expected)
    throw Error(Code::kCorruptData, path + " has " + std::to_string(found) + " offsets, expected " + std::to_string(expected));
  OffsetIndex index;
  index.document_count_ = documents;
  index.token_count_ = numbers[2];
  index.offsets_.assign(numbers.begin() + kHeadNumbers, numbers.end());
  return index;
}

void TokenWindow::append(std::int64_t offset, std::span<const std::uint32_t> document) {
  const std::int64_t separator_at = offset + static_cast<std::int64_t>(document.size());
  const std::int64_t from = std::max(first_, offset), to = std::min(end_, separator_at);
  if (from < to) tokens_.insert(tokens_.end(), document.begin() + (from - offset), document.begin() + (to - offset));
  if (separator_at >= first_ && separator_at < end_) tokens_.push_back(separator_);
}

}  // namespace flowrun::packers
