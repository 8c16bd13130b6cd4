#include "external_sort.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <queue>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr std::size_t kRunsPerLevel = 64;
constexpr std::size_t kBufferBytes = 64 << 10;

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

[[noreturn]] void throw_errno(const char* action) {
  const int number = errno;
  throw Error(Code::kIo, temporary_folder() + ": a temporary file cannot be " + action + ": " + std::strerror(number) + "; TMPDIR names another folder");
}

/// What a payload and its key take in memory; the vector's spare room and malloc's header are counted in.
std::int64_t bytes_of(const SortEntry& entry) noexcept { return static_cast<std::int64_t>(entry.payload.capacity() + 2 * sizeof(SortEntry) + 16); }

}  // namespace

/// One sorted file: written from front to back, then read from front to back.
class ExternalSort::Run {
 public:
  Run() {
    std::string name = temporary_folder() + "/flowrun-sort-XXXXXX";
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw_errno("made");
    ::unlink(name.c_str());  // a file that keeps its name does no harm
    buffer_.reserve(kBufferBytes);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { ::close(descriptor_); }

  void write(const SortEntry& entry) {
    const std::int64_t header[] = {entry.key.group, entry.key.kind, entry.key.number, static_cast<std::int64_t>(entry.payload.size())};
    put(header, sizeof header);
    put(entry.payload.data(), entry.payload.size());
  }
  void rewind() {
    flush();
    if (::lseek(descriptor_, 0, SEEK_SET) < 0) throw_errno("read");
    buffer_.clear();
    at_ = 0;
  }
  /// Reads the next entry; false at the end.
  bool read(SortEntry& entry) {
    std::int64_t header[4];
    if (at_ == buffer_.size() && !fill()) return false;
    get(header, sizeof header);
    entry.key = {header[0], header[1], header[2]};
    entry.payload.resize(static_cast<std::size_t>(header[3]));
    get(entry.payload.data(), entry.payload.size());
    return true;
  }
  /// Frees the buffer until the run is read.
  void rest() { buffer_.shrink_to_fit(); }

 private:
  void put(const void* data, std::size_t size) {
    if (buffer_.size() + size > kBufferBytes) flush();
    if (size > kBufferBytes) write_all(static_cast<const char*>(data), size);
    else buffer_.append(static_cast<const char*>(data), size);
  }
  void flush() {
    write_all(buffer_.data(), buffer_.size());
    buffer_.clear();
  }
  void write_all(const char* data, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno("written");
      data += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  bool fill() {
    buffer_.resize(kBufferBytes);
    ssize_t got = 0;
    do got = ::read(descriptor_, buffer_.data(), buffer_.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) throw_errno("read");
    buffer_.resize(static_cast<std::size_t>(got));
    at_ = 0;
    return got > 0;
  }
  void get(void* data, std::size_t size) {
    for (auto* to = static_cast<char*>(data); size > 0;) {
      if (at_ == buffer_.size() && !fill()) throw Error(Code::kIo, temporary_folder() + ": a temporary file is shorter than what was written");
      const std::size_t n = std::min(size, buffer_.size() - at_);
      std::memcpy(to, buffer_.data() + at_, n);
      at_ += n;
      to += n;
      size -= n;
    }
  }

  int descriptor_;
  std::string buffer_;
  std::size_t at_ = 0;  ///< of what is unread in buffer_
};

/// Gives the entries of several runs in order.
class ExternalSort::Merge {
 public:
  explicit Merge(std::vector<std::unique_ptr<Run>> runs) : runs_(std::move(runs)), heads_(runs_.size()) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      runs_[i]->rewind();
      advance(i);
    }
  }
  bool next(SortEntry& entry) {
    if (queue_.empty()) return false;
    const std::size_t run = queue_.top().second;
    queue_.pop();
    std::swap(entry, heads_[run]);
    advance(run);
    return true;
  }

 private:
  void advance(std::size_t run) {
    if (runs_[run]->read(heads_[run])) queue_.emplace(heads_[run].key, run);
  }

  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<SortEntry> heads_;
  std::priority_queue<std::pair<SortKey, std::size_t>, std::vector<std::pair<SortKey, std::size_t>>, std::greater<>> queue_;
};

ExternalSort::ExternalSort(SortBudget& budget) : budget_(&budget) { ++budget_->filling; }

ExternalSort::~ExternalSort() {
  if (filling_) --budget_->filling;
}

void ExternalSort::add(const Call& call, SortEntry entry) {
  entry.payload.shrink_to_fit();
  bytes_ += bytes_of(entry);
  entries_.push_back(std::move(entry));
  if (bytes_ >= budget_->bytes / std::max<std::int64_t>(budget_->filling, 1)) spill(call);
}

void ExternalSort::finish(const Call& call) {
  if (!levels_.empty() && !entries_.empty()) spill(call);
  std::sort(entries_.begin(), entries_.end(), [](const SortEntry& a, const SortEntry& b) { return a.key < b.key; });
  std::vector<std::unique_ptr<Run>> runs;
  for (auto& level : levels_) std::move(level.begin(), level.end(), std::back_inserter(runs));
  if (!runs.empty()) merge_ = std::make_unique<Merge>(std::move(runs));
  levels_.clear();
  filling_ = false;
  --budget_->filling;
}

bool ExternalSort::next(SortEntry& entry) {
  if (merge_) return merge_->next(entry);
  if (given_ == entries_.size()) return false;
  entry = std::move(entries_[given_++]);
  return true;
}

void ExternalSort::spill(const Call& call) {
  call.check_stop();
  std::sort(entries_.begin(), entries_.end(), [](const SortEntry& a, const SortEntry& b) { return a.key < b.key; });
  auto run = std::make_unique<Run>();
  for (const SortEntry& entry : entries_) run->write(entry);
  run->rewind();
  run->rest();
  entries_ = {};
  bytes_ = 0;
  ++spill_count_;
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].push_back(std::move(run));
  for (std::size_t level = 0; level < levels_.size() && levels_[level].size() == kRunsPerLevel; ++level) write_merged(call, level);
}

/// Merges the runs of a level into one of the next.
void ExternalSort::write_merged(const Call& call, std::size_t level) {
  if (level + 1 == levels_.size()) levels_.emplace_back();
  Merge merge(std::exchange(levels_[level], {}));
  auto run = std::make_unique<Run>();
  SortEntry entry;
  for (std::int64_t count = 0; merge.next(entry); ++count) {
    if (count % 4096 == 0) call.check_stop();
    run->write(entry);
  }
  run->rewind();
  run->rest();
  levels_[level + 1].push_back(std::move(run));
}

}  // namespace flowrun::readers
