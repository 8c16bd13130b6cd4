#include "dedupers/common/hash_runs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace flowrun::dedupers {
namespace {

constexpr std::size_t kMerged = 8;
constexpr std::uint64_t kPerBucket = 128;  // to twice that: 2 to 4 KiB

std::uint64_t prefix(Hash128 hash, int bits) noexcept { return bits == 0 ? 0 : hash.high >> (64 - bits); }

/// Collects values and appends them to a file, many at a time.
template <class T>
class Appender {
 public:
  Appender(common::UnnamedFile& file, std::size_t bytes) : file_(file) { values_.reserve(std::max<std::size_t>(1, bytes / sizeof(T))); }
  void append(const T& value) {
    values_.push_back(value);
    if (values_.size() == values_.capacity()) flush();
  }
  void flush() {
    file_.append(values_.data(), values_.size() * sizeof(T));
    values_.clear();
  }

 private:
  common::UnnamedFile& file_;
  std::vector<T> values_;
};

}  // namespace

/// Reads a run from its first hash to the last.
class HashRuns::Reader {
 public:
  Reader(const Run& run, std::size_t bytes) : run_(&run), buffer_(std::max<std::size_t>(1, bytes / sizeof(Hash128))) { fill(); }
  bool at_end() const noexcept { return at_ == end_; }
  const Hash128& front() const noexcept { return buffer_[at_]; }
  void pop() {
    if (++at_ == end_) fill();
  }

 private:
  void fill() {
    end_ = run_->hashes.read(read_ * sizeof(Hash128), buffer_.data(), buffer_.size() * sizeof(Hash128)) / sizeof(Hash128);
    read_ += end_;
    at_ = 0;
  }

  const Run* run_;
  std::vector<Hash128> buffer_;
  std::size_t at_ = 0, end_ = 0;
  std::uint64_t read_ = 0;
};

void HashRuns::add(std::uint64_t count, const std::function<bool(Hash128&)>& next) {
  runs_.push_back(write(count, 0, next));
  while (runs_.size() >= kMerged && runs_[runs_.size() - kMerged].level == runs_.back().level) {
    const std::size_t first = runs_.size() - kMerged;
    Run merged = merge(first);
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(first), runs_.end());
    runs_.push_back(std::move(merged));
  }
}

HashRuns::Run HashRuns::write(std::uint64_t count, int level, const std::function<bool(Hash128&)>& next) const {
  const int bits = count < 2 * kPerBucket ? 0 : std::bit_width(count / kPerBucket) - 1;
  Run run{common::UnnamedFile(folder_), common::UnnamedFile(folder_), count, bits, level};
  Appender<Hash128> hashes(run.hashes, buffer_bytes_ / (kMerged + 1) * 7 / 8);
  Appender<std::uint64_t> directory(run.directory, buffer_bytes_ / (kMerged + 1) / 8);
  std::uint64_t written = 0, buckets = 0;
  for (Hash128 hash; next(hash); ++written) {
    for (; buckets <= prefix(hash, bits); ++buckets) directory.append(written);
    hashes.append(hash);
  }
  for (; buckets <= std::uint64_t{1} << bits; ++buckets) directory.append(written);
  hashes.flush();
  directory.flush();
  return run;
}

HashRuns::Run HashRuns::merge(std::size_t first) const {
  std::vector<Reader> readers;
  std::uint64_t count = 0;
  for (std::size_t i = first; i < runs_.size(); ++i) {
    readers.emplace_back(runs_[i], buffer_bytes_ / (kMerged + 1));
    count += runs_[i].count;
  }
  return write(count, runs_.back().level + 1, [&](Hash128& hash) {
    Reader* least = nullptr;
    for (Reader& reader : readers)
      if (!reader.at_end() && (least == nullptr || reader.front() < least->front())) least = &reader;
    if (least == nullptr) return false;
    hash = least->front();
    least->pop();
    return true;
  });
}

bool HashRuns::contains(Hash128 hash) const {
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    std::array<std::uint64_t, 2> range;
    run->directory.read(prefix(hash, run->bits) * sizeof range[0], range.data(), sizeof range);
    bucket_.resize(range[1] - range[0]);
    run->hashes.read(range[0] * sizeof hash, bucket_.data(), bucket_.size() * sizeof hash);
    if (std::binary_search(bucket_.begin(), bucket_.end(), hash)) return true;
  }
  return false;
}

void HashRuns::for_each(const std::function<void(const Hash128&)>& use) const {
  for (const Run& run : runs_)
    for (Reader reader(run, buffer_bytes_ / (kMerged + 1)); !reader.at_end(); reader.pop()) use(reader.front());
}

std::uint64_t HashRuns::size() const noexcept {
  return std::accumulate(runs_.begin(), runs_.end(), std::uint64_t{0}, [](std::uint64_t sum, const Run& run) { return sum + run.count; });
}

}  // namespace flowrun::dedupers
