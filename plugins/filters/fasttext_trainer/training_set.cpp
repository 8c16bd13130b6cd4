#include "training_set.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace flowrun::filters::fasttext {
namespace {

constexpr std::size_t kEntryBytes = 160;  // an entry, its place in the hash table and both allocations, beside the text itself

/// Before each example in the file.
struct Header {
  std::int64_t tokens;
  std::uint64_t label_bytes, text_bytes;
};

template <class T>
void write_number(std::ostream& out, T value) {
  out.write(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T read_number(std::istream& in) {
  T value{};
  in.read(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

[[noreturn]] void fail_damaged(const std::string& path) { throw Error(Code::kCorruptData, "'" + path + "' is not what was written there"); }

std::string read_text(std::istream& in, std::uint64_t bytes, const std::string& path) {
  if (bytes > std::numeric_limits<std::int32_t>::max()) fail_damaged(path);
  std::string text(bytes, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(bytes))) fail_damaged(path);
  return text;
}

}  // namespace

void WordCounts::add(std::string_view text, bool is_label) {
  const auto [it, added] = numbers_.try_emplace(std::string(text), entries_.size());
  if (added) {
    entries_.push_back({it->first, 0, is_label});
    bytes_ += kEntryBytes + 2 * text.size();
  }
  ++entries_[it->second].count;
}

void WordCounts::finish(std::int64_t min_count, std::vector<Entry>& words, std::vector<Entry>& labels) const {
  std::vector<const Counted*> sorted;
  for (const Counted& entry : entries_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const Counted* a, const Counted* b) { return a->is_label != b->is_label ? b->is_label : a->count > b->count; });
  words.clear();
  labels.clear();
  for (const Counted* entry : sorted)
    if (entry->is_label) labels.push_back({entry->text, entry->count});
    else if (entry->count >= min_count) words.push_back({entry->text, entry->count});
}

void WordCounts::save(const std::string& path) const {
  std::ofstream out(path, std::ios::binary);
  write_number<std::uint64_t>(out, entries_.size());
  for (const Counted& entry : entries_) {
    write_number<std::int64_t>(out, entry.count);
    write_number<std::uint8_t>(out, entry.is_label);
    write_number<std::uint64_t>(out, entry.text.size());
    out << entry.text;
  }
  out.close();
  if (!out) throw Error(Code::kIo, "'" + path + "' cannot be written");
}

void WordCounts::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  *this = {};
  for (auto left = read_number<std::uint64_t>(in); in && left > 0; --left) {
    const auto count = read_number<std::int64_t>(in);
    const bool is_label = read_number<std::uint8_t>(in) != 0;
    add(read_text(in, read_number<std::uint64_t>(in), path), is_label);
    entries_.back().count = count;
  }
  if (!in) fail_damaged(path);
}

TrainingSet::TrainingSet(std::string path) : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::in | std::ios::out | std::ios::trunc) {
  if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be made");
}

TrainingSet::~TrainingSet() {
  file_.close();
  std::error_code ignored;  // a destructor cannot report it
  std::filesystem::remove(path_, ignored);
}

void TrainingSet::write(const void* data, std::size_t bytes) {
  if (!file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes))) throw Error(Code::kIo, "'" + path_ + "' cannot be written, needs " + std::to_string(bytes) + " bytes more");
}

void TrainingSet::flush() {
  if (!file_.flush()) throw Error(Code::kIo, "'" + path_ + "' cannot be written");
}

void TrainingSet::add(std::string_view label, std::string_view text) {
  const std::string prefixed = std::string(kLabelPrefix) + std::string(label);
  Header header{2, prefixed.size(), text.size()};
  counts_.add(prefixed, true);
  WordReader reader(text);
  for (std::string_view word; reader.next(word) && word != kEndOfLine;) {
    if (word.starts_with(kLabelPrefix)) continue;
    counts_.add(word, false);
    ++header.tokens;
  }
  counts_.add(kEndOfLine, false);
  write(&header, sizeof header);
  write(prefixed.data(), prefixed.size());
  write(text.data(), text.size());
  tokens_ += header.tokens;
  ++examples_;
}

void TrainingSet::for_each(const std::function<bool(const Example&)>& use) {
  flush();
  std::ifstream in(path_, std::ios::binary);
  for (std::int64_t i = 0; i < examples_; ++i) {
    const auto header = read_number<Header>(in);
    if (!in) fail_damaged(path_);
    const Example example{read_text(in, header.label_bytes, path_), read_text(in, header.text_bytes, path_), header.tokens};
    if (!use(example)) return;
  }
}

void TrainingSet::save(const std::string& folder) {
  flush();
  std::filesystem::copy_file(path_, folder + "/examples");
  counts_.save(folder + "/words");
  std::ofstream out(folder + "/totals", std::ios::binary);
  write_number(out, tokens_);
  write_number(out, examples_);
  out.close();
  if (!out) throw Error(Code::kIo, "'" + folder + "/totals' cannot be written");
}

void TrainingSet::load(const std::string& folder) {
  counts_.load(folder + "/words");
  std::ifstream totals(folder + "/totals", std::ios::binary);
  tokens_ = read_number<std::int64_t>(totals);
  examples_ = read_number<std::int64_t>(totals);
  if (!totals) fail_damaged(folder + "/totals");
  file_.close();
  std::filesystem::copy_file(folder + "/examples", path_, std::filesystem::copy_options::overwrite_existing);
  file_.open(path_, std::ios::binary | std::ios::in | std::ios::out | std::ios::ate);
  if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be opened");
}

}  // namespace flowrun::filters::fasttext
