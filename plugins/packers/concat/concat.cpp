#include "concat.hpp"

#include <flowrun/error.hpp>

#include <algorithm>

#include "packers/common/numbers_file.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/concat";
constexpr const char* kOffsetsFile = "/offsets.bin";
constexpr const char* kStagesFile = "/stages.bin";
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

void PlaceIndex::append(const DocumentSizes& documents) {
  const std::span lengths(documents.lengths);
  for (std::size_t i = 0; i < documents.runs.size(); ++i) {
    const StageRun& run = documents.runs[i];
    if (sections_.empty() || !sections_.back().is_of(run)) sections_.push_back({run.stage, run.sequence_length, offsets_.token_count(), place_count()});
    const std::int64_t end = i + 1 < documents.runs.size() ? documents.runs[i + 1].first : static_cast<std::int64_t>(lengths.size());
    offsets_.append(lengths.subspan(static_cast<std::size_t>(run.first), static_cast<std::size_t>(end - run.first)));
  }
}

void PlaceIndex::save(const std::string& folder) const {
  offsets_.save(folder + kOffsetsFile);
  save_sections(folder + kStagesFile, kId, sections_);
}

PlaceIndex PlaceIndex::load(const std::string& folder, std::int64_t place_tokens) {
  PlaceIndex index(place_tokens);
  index.offsets_ = OffsetIndex::load(folder + kOffsetsFile);
  index.sections_ = load_sections(folder + kStagesFile, kId);
  if (index.sections_.empty() != (index.offsets_.document_count() == 0))
    throw Error(Code::kCorruptData, folder + kStagesFile + " has " + std::to_string(index.sections_.size()) + " sections for " + std::to_string(index.offsets_.document_count()) + " documents");
  return index;
}

void TokenWindow::append(std::int64_t offset, std::span<const std::uint32_t> document) {
  const std::int64_t separator_at = offset + static_cast<std::int64_t>(document.size());
  const std::int64_t from = std::max(first_, offset), to = std::min(end_, separator_at);
  if (from < to) tokens_.insert(tokens_.end(), document.begin() + (from - offset), document.begin() + (to - offset));
  if (separator_at >= first_ && separator_at < end_) tokens_.push_back(separator_);
}

}  // namespace flowrun::packers
