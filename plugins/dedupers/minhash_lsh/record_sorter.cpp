#include "record_sorter.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <flowrun/error.hpp>

namespace flowrun::dedupers {
namespace {

constexpr std::size_t kMemoryMin = std::size_t{64} << 10;
constexpr std::size_t kRunsMax = 64;  // files that are open at once, each with a buffer when they are merged
constexpr std::size_t kRunBufferMax = std::size_t{64} << 10, kRunBufferMin = std::size_t{4} << 10;

}  // namespace

/// A sorted run: what is in memory, or a file through a buffer.
class RecordSorter::Run {
 public:
  explicit Run(std::span<const Record> records) : records_(records) {}
  Run(const common::UnnamedFile& file, std::size_t buffer_bytes) : file_(&file), buffer_(buffer_bytes / sizeof(Record)) {}

  bool next() {
    if (at_ == records_.size() && !fill()) return false;
    record = records_[at_++];
    return true;
  }
  Record record{};

 private:
  bool fill() {
    if (file_ == nullptr) return false;
    const std::size_t bytes = file_->read(offset_, buffer_.data(), buffer_.size() * sizeof(Record));
    if (bytes % sizeof(Record) != 0) throw Error(Code::kIo, "a temporary file of signatures has lost its end");
    offset_ += bytes;
    records_ = std::span(buffer_.data(), bytes / sizeof(Record));
    at_ = 0;
    return bytes > 0;
  }

  const common::UnnamedFile* file_ = nullptr;
  std::uint64_t offset_ = 0;
  std::vector<Record> buffer_;
  std::span<const Record> records_;
  std::size_t at_ = 0;
};

RecordSorter::RecordSorter(std::size_t memory_bytes, std::string folder) : capacity_(std::max(memory_bytes, kMemoryMin) / sizeof(Record)), folder_(std::move(folder)) {}

void RecordSorter::add(Record record) {
  if (buffer_.capacity() == 0) buffer_.reserve(capacity_);  // at once: pages that are never touched take no memory, growing would take twice as many
  if (buffer_.size() == capacity_) spill();
  buffer_.push_back(record);
  ++size_;
}

void RecordSorter::spill() {
  if (runs_.size() == kRunsMax) merge_runs();
  std::sort(buffer_.begin(), buffer_.end());
  common::UnnamedFile file(folder_);
  file.append(buffer_.data(), buffer_.size() * sizeof(Record));
  runs_.push_back(std::move(file));
  buffer_.clear();
}

/// Makes one run of those that are there.
void RecordSorter::merge_runs() {
  common::UnnamedFile merged(folder_);
  std::vector<Record> out;
  const auto write = [&] {
    merged.append(out.data(), out.size() * sizeof(Record));
    out.clear();
  };
  for (Cursor cursor(runs_, {}, kRunBufferMin); cursor.next();) {
    out.push_back(cursor.record);
    if (out.size() * sizeof(Record) >= kRunBufferMax) write();
  }
  write();
  runs_.clear();
  runs_.push_back(std::move(merged));
}

RecordSorter::Cursor RecordSorter::read() {
  std::sort(buffer_.begin(), buffer_.end());
  return Cursor(runs_, buffer_, std::clamp(capacity_ * sizeof(Record) / (4 * kRunsMax), kRunBufferMin, kRunBufferMax));
}

RecordSorter::Cursor::Cursor(const std::vector<common::UnnamedFile>& files, const std::vector<Record>& buffer, std::size_t buffer_bytes) {
  for (const common::UnnamedFile& file : files) runs_.push_back(std::make_unique<Run>(file, buffer_bytes));
  runs_.push_back(std::make_unique<Run>(std::span(buffer)));
  for (const auto& run : runs_)
    if (run->next()) heads_.push_back(run.get());
  std::make_heap(heads_.begin(), heads_.end(), [](const Run* a, const Run* b) { return a->record > b->record; });
}

RecordSorter::Cursor::Cursor(Cursor&&) noexcept = default;
RecordSorter::Cursor::~Cursor() = default;

bool RecordSorter::Cursor::next() {
  if (heads_.empty()) return false;
  const auto after = [](const Run* a, const Run* b) { return a->record > b->record; };
  if (heads_.size() > 1) std::pop_heap(heads_.begin(), heads_.end(), after);
  Run* const run = heads_.back();
  record = run->record;
  if (!run->next()) heads_.pop_back();
  else if (heads_.size() > 1) std::push_heap(heads_.begin(), heads_.end(), after);
  return true;
}

}  // namespace flowrun::dedupers
