#include "word_counter.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <utility>

#define XXH_STATIC_LINKING_ONLY  // the size of XXH3_state_t
#include <xxhash.h>

#include <flowrun/error.hpp>

#include "free_memory.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kFirstSlots = 1 << 12;
constexpr std::size_t kMemoryMin = std::size_t{1} << 20;
constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr std::size_t kRunsMax = 64;  // files that are open at once, each with a buffer when they are merged
constexpr char kMagic[8] = {'F', 'L', 'R', 'W', 'O', 'R', 'D', '1'};

/// The file of a snapshot: this header, then `distinct` records: size and count (8 bytes each, little-endian), the word.
struct Header {
  char magic[8];
  std::uint64_t distinct;
  std::uint64_t checksum;  // XXH3 of the records
};

struct RecordHead {
  std::uint64_t size;
  std::uint64_t count;
};

template <class Slot>
Slot& free_slot(std::vector<Slot>& slots, std::size_t home) {
  while (slots[home].count != 0) home = (home + 1) & (slots.size() - 1);
  return slots[home];
}

std::size_t home_of(std::uint64_t hash, std::size_t slots) noexcept { return hash >> (64 - std::countr_zero(slots)); }
std::size_t home_of(std::uint32_t hash, std::size_t slots) noexcept { return hash & (slots - 1); }

/// Doubles a table.
template <class Slot, class HashOf>
void grow(std::vector<Slot>& slots, HashOf&& hash_of) {
  {
    std::vector<Slot> old(slots.size() * 2);
    old.swap(slots);
    for (const Slot& slot : old)
      if (slot.count != 0) free_slot(slots, home_of(hash_of(slot), slots.size())) = slot;
  }
  give_back_memory();  // of the old one, which the allocator might keep
}

/// Moves the slots in use to the front; returns how many.
template <class Slot>
std::size_t compact(std::vector<Slot>& slots) {
  const auto end = std::remove_if(slots.begin(), slots.end(), [](const Slot& slot) { return slot.count == 0; });
  return static_cast<std::size_t>(end - slots.begin());
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------- words in order

/// What the sorted tables hold.
class WordCounter::MemoryWords final : public Words {
 public:
  explicit MemoryWords(const WordCounter& counter) : counter_(counter) {}
  bool next() override {
    const bool has_short = short_ < counter_.short_used_, has_long = long_ < counter_.long_used_;
    if (!has_short && !has_long) return false;
    const ShortSlot& a = counter_.short_[has_short ? short_ : 0];
    const LongSlot& b = counter_.long_[has_long ? long_ : 0];
    const std::string_view short_word(reinterpret_cast<const char*>(a.key.words), a.key.size()), long_word(b.bytes, b.size);
    if (!has_long || (has_short && short_word < long_word)) {
      word = short_word;
      count = a.count;
      ++short_;
    } else {
      word = long_word;
      count = b.count;
      ++long_;
    }
    return true;
  }

 private:
  const WordCounter& counter_;
  std::size_t short_ = 0, long_ = 0;
};

/// A run on disk, through a buffer that holds one record at least.
class WordCounter::RunWords final : public Words {
 public:
  explicit RunWords(const common::UnnamedFile& file) : file_(file) {}
  bool next() override {
    if (!fill(sizeof(RecordHead))) return false;
    RecordHead head;
    std::memcpy(&head, buffer_.data() + at_, sizeof head);
    if (!fill(sizeof head + head.size)) throw Error(Code::kIo, "a temporary file of words has lost its end");
    word = {buffer_.data() + at_ + sizeof head, head.size};
    count = head.count;
    at_ += sizeof head + head.size;
    return true;
  }

 private:
  /// Sees to it that `size` bytes are in the buffer; returns whether the file has so many.
  bool fill(std::size_t size) {
    if (end_ - at_ >= size) return true;
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= at_;
    at_ = 0;
    buffer_.resize(std::max(kBufferBytes, size));
    const std::size_t n = file_.read(offset_, buffer_.data() + end_, buffer_.size() - end_);
    offset_ += n;
    end_ += n;
    return end_ >= size;
  }

  const common::UnnamedFile& file_;
  std::uint64_t offset_ = 0;
  std::vector<char> buffer_;
  std::size_t at_ = 0, end_ = 0;
};

/// Several in one order, the counts of equal words added up.
class WordCounter::MergedWords final : public Words {
 public:
  explicit MergedWords(std::vector<std::unique_ptr<Words>> parts) : parts_(std::move(parts)) {
    for (auto& part : parts_)
      if (part->next()) heads_.push_back(part.get());
    std::make_heap(heads_.begin(), heads_.end(), after);
  }
  bool next() override {
    if (heads_.empty()) return false;
    current_ = heads_.front()->word;  // a copy: its part goes on
    count = 0;
    while (!heads_.empty() && heads_.front()->word == current_) {
      std::pop_heap(heads_.begin(), heads_.end(), after);
      Words* const part = heads_.back();
      count += part->count;
      if (part->next()) std::push_heap(heads_.begin(), heads_.end(), after);
      else heads_.pop_back();
    }
    word = current_;
    return true;
  }

 private:
  static bool after(const Words* a, const Words* b) { return a->word > b->word; }

  std::vector<std::unique_ptr<Words>> parts_;
  std::vector<Words*> heads_;  // a heap, the smallest word on top
  std::string current_;
};

// ------------------------------------------------------------------------------------------------------------- counting

WordCounter::WordCounter(Options options) : options_(std::move(options)), short_(kFirstSlots), long_(kFirstSlots) {}

void WordCounter::add(std::string_view text, std::size_t begin, std::size_t end, std::uint64_t count) {
  if (count == 0) return;
  if (sorted_) unsort();
  words_ += count;
  const std::size_t size = end - begin;
  if (size <= Key::kBytesMax) add_short(Key::of(text, begin, size), count);
  else add_long(text.substr(begin, size), count);
}

void WordCounter::add_short(const Key& key, std::uint64_t count) {
  for (std::size_t i = home_of(key.hash(), short_.size());; i = (i + 1) & (short_.size() - 1)) {
    ShortSlot& slot = short_[i];
    if (slot.count != 0 && slot.key == key) {
      slot.count += count;
      return;
    }
    if (slot.count != 0) continue;
    slot = {key, count};
    break;
  }
  if (++short_used_ * 2 <= short_.size()) return;
  if (!may_take(2 * short_.size() * sizeof(ShortSlot))) return spill();
  grow(short_, [](const ShortSlot& slot) { return slot.key.hash(); });
}

void WordCounter::add_long(std::string_view word, std::uint64_t count) {
  if (word.size() > std::numeric_limits<std::uint32_t>::max())
    throw Error(Code::kUnsupported, "a word has " + std::to_string(word.size()) + " bytes, expected below 4 GiB");
  const auto hash = static_cast<std::uint32_t>(XXH3_64bits(word.data(), word.size()));
  for (std::size_t i = home_of(hash, long_.size());; i = (i + 1) & (long_.size() - 1)) {
    LongSlot& slot = long_[i];
    if (slot.count != 0 && slot.hash == hash && word == std::string_view(slot.bytes, slot.size)) {
      slot.count += count;
      return;
    }
    if (slot.count == 0) break;
  }
  if (block_used_ + word.size() > block_size_ && long_used_ > 0 && !may_take(std::max(kBlockBytes, word.size()))) spill();
  const std::string_view kept = keep(word);
  free_slot(long_, home_of(hash, long_.size())) = {kept.data(), static_cast<std::uint32_t>(kept.size()), hash, count};
  if (++long_used_ * 2 <= long_.size()) return;
  if (!may_take(2 * long_.size() * sizeof(LongSlot))) return spill();
  grow(long_, [](const LongSlot& slot) { return slot.hash; });
}

/// Copies a long word to where it stays.
std::string_view WordCounter::keep(std::string_view word) {
  if (block_used_ + word.size() > block_size_) {
    block_size_ = std::max(kBlockBytes, word.size());
    blocks_.emplace_back(new char[block_size_]);
    block_bytes_ += block_size_;
    block_used_ = 0;
  }
  char* const to = blocks_.back().get() + block_used_;
  std::memcpy(to, word.data(), word.size());
  block_used_ += word.size();
  return {to, word.size()};
}

std::size_t WordCounter::memory_bytes() const noexcept { return short_.size() * sizeof(ShortSlot) + long_.size() * sizeof(LongSlot) + block_bytes_; }

bool WordCounter::may_take(std::size_t bytes) const noexcept { return memory_bytes() + bytes <= std::max(options_.memory_bytes, kMemoryMin); }

// ------------------------------------------------------------------------------------------------------------- order and runs

void WordCounter::sort() {
  if (sorted_) return;
  compact(short_);
  compact(long_);
  // The bytes of a key as one big number: zeros behind a shorter word, then its length, so that this is the order of words.
  const auto number = [](const Key& key) { return std::pair(__builtin_bswap64(key.words[0]), __builtin_bswap64(key.words[1])); };
  std::sort(short_.begin(), short_.begin() + static_cast<std::ptrdiff_t>(short_used_), [&](const ShortSlot& a, const ShortSlot& b) { return number(a.key) < number(b.key); });
  std::sort(long_.begin(), long_.begin() + static_cast<std::ptrdiff_t>(long_used_),
            [](const LongSlot& a, const LongSlot& b) { return std::string_view(a.bytes, a.size) < std::string_view(b.bytes, b.size); });
  sorted_ = true;
}

/// Makes hash tables of the lists again.
void WordCounter::unsort() {
  std::vector<ShortSlot> short_list(short_.begin(), short_.begin() + static_cast<std::ptrdiff_t>(short_used_));
  std::fill(short_.begin(), short_.end(), ShortSlot{});
  for (const ShortSlot& slot : short_list) free_slot(short_, home_of(slot.key.hash(), short_.size())) = slot;
  std::vector<LongSlot> long_list(long_.begin(), long_.begin() + static_cast<std::ptrdiff_t>(long_used_));
  std::fill(long_.begin(), long_.end(), LongSlot{});
  for (const LongSlot& slot : long_list) free_slot(long_, home_of(slot.hash, long_.size())) = slot;
  sorted_ = false;
}

void WordCounter::spill() {
  if (runs_.size() == kRunsMax) merge_runs();
  sort();
  MemoryWords words(*this);
  write_run(words);
  forget();
}

/// Makes one run of those that are there.
void WordCounter::merge_runs() {
  write_run(*words_of_runs());
  runs_.erase(runs_.begin(), runs_.end() - 1);
}

/// Writes a run behind those that are there.
void WordCounter::write_run(Words& words) {
  common::UnnamedFile file(options_.folder);
  std::vector<char> buffer;
  while (words.next()) {
    const RecordHead head{words.word.size(), words.count};
    buffer.insert(buffer.end(), reinterpret_cast<const char*>(&head), reinterpret_cast<const char*>(&head + 1));
    buffer.insert(buffer.end(), words.word.begin(), words.word.end());
    if (buffer.size() < kBufferBytes) continue;
    file.append(buffer.data(), buffer.size());
    buffer.clear();
  }
  file.append(buffer.data(), buffer.size());
  runs_.push_back(std::move(file));
}

/// Empties the tables, which keep their size.
void WordCounter::forget() {
  std::fill(short_.begin(), short_.end(), ShortSlot{});
  std::fill(long_.begin(), long_.end(), LongSlot{});
  short_used_ = long_used_ = 0;
  blocks_.clear();
  block_bytes_ = block_used_ = block_size_ = 0;
  sorted_ = false;
}

void WordCounter::release_memory() {
  if (short_used_ + long_used_ > 0) spill();
  if (short_.size() + long_.size() == 2 * kFirstSlots) return;
  std::vector<ShortSlot>(kFirstSlots).swap(short_);
  std::vector<LongSlot>(kFirstSlots).swap(long_);
  give_back_memory();
}

void WordCounter::settle() {
  if (runs_.empty()) return;
  release_memory();
  if (runs_.size() > 1) merge_runs();
}

std::unique_ptr<WordCounter::Words> WordCounter::all_words() {
  if (runs_.empty()) {
    sort();
    return std::make_unique<MemoryWords>(*this);
  }
  release_memory();
  return words_of_runs();
}

std::unique_ptr<WordCounter::Words> WordCounter::words_of_runs() const {
  if (runs_.size() == 1) return std::make_unique<RunWords>(runs_.front());
  std::vector<std::unique_ptr<Words>> parts;
  for (const common::UnnamedFile& run : runs_) parts.push_back(std::make_unique<RunWords>(run));
  return std::make_unique<MergedWords>(std::move(parts));
}

// ------------------------------------------------------------------------------------------------------------- snapshots

void WordCounter::save(const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  const auto write = [&](const void* bytes, std::size_t size) {
    XXH3_64bits_update(&checksum, bytes, size);
    out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  };
  for_each([&](std::string_view word, std::uint64_t count) {
    const RecordHead head{word.size(), count};
    write(&head, sizeof head);
    write(word.data(), word.size());
    ++header.distinct;
  });
  header.checksum = XXH3_64bits_digest(&checksum);
  out.seekp(0);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.close();
  if (!out) throw Error(Code::kIo, "'" + path + "' cannot be written: " + std::strerror(errno));
}

void WordCounter::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error(Code::kNotFound, "'" + path + "' cannot be read");
  auto left = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  const auto read = [&](void* bytes, std::uint64_t size) {
    if (size > left) throw Error(Code::kCorruptData, "'" + path + "' has lost its end");
    in.read(static_cast<char*>(bytes), static_cast<std::streamsize>(size));
    if (!in) throw Error(Code::kIo, "'" + path + "' cannot be read");
    left -= size;
  };
  Header header{};
  read(&header, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, "'" + path + "' holds no counts of words");
  WordCounter loaded(options_);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  std::string word;
  for (std::uint64_t i = 0; i < header.distinct; ++i) {
    RecordHead head{};
    read(&head, sizeof head);
    if (head.size > left) throw Error(Code::kCorruptData, "'" + path + "' has lost its end");
    word.resize(head.size);
    read(word.data(), head.size);
    XXH3_64bits_update(&checksum, &head, sizeof head);
    XXH3_64bits_update(&checksum, word.data(), word.size());
    loaded.add(word, head.count);
  }
  if (left != 0 || XXH3_64bits_digest(&checksum) != header.checksum) throw Error(Code::kCorruptData, "'" + path + "' does not have the checksum that it was written with");
  *this = std::move(loaded);
}

}  // namespace flowrun::tokenizers
