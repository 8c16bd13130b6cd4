#include "multistream.hpp"

#include <flowrun/error.hpp>

#include <charconv>
#include <cstddef>
#include <filesystem>

#include "readers/common/stored_file.hpp"

namespace flowrun::readers {
namespace {

constexpr std::string_view kMark = "-multistream", kIndexMark = "-multistream-index";

std::string_view name_of(std::string_view path) noexcept { return path.substr(path.rfind('/') + 1); }

/// Takes lines as they come and counts the pages of each stream.
class IndexLines {
 public:
  IndexLines(const std::string& path, std::int64_t dump_bytes) : path_(&path), dump_bytes_(dump_bytes) {}

  void add(std::string_view line) {
    ++number_;
    std::int64_t offset = -1;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), offset);
    if (error != std::errc() || end == line.data() + line.size() || *end != ':') fail("no OFFSET:ID:TITLE");
    const std::int64_t last = streams.empty() ? 0 : streams.back().begin;
    if (offset < last || offset == 0 || offset >= dump_bytes_)
      fail("offset " + std::to_string(offset) + ", expected at least " + std::to_string(last) + " and less than the dump's " + std::to_string(dump_bytes_) + " bytes");
    if (offset > last) streams.push_back({offset, 0});
    ++streams.back().page_count;
  }

  [[noreturn]] void fail(const std::string& found) const {
    throw Error(Code::kCorruptData, *path_ + ": line " + std::to_string(number_) + " has " + found + "; move the index away to read the dump from front to back");
  }

  std::vector<WikiStream> streams;

 private:
  const std::string* path_;
  std::int64_t dump_bytes_, number_ = 0;
};

}  // namespace

bool is_stream_index(std::string_view path) noexcept {
  const std::string_view name = name_of(path);
  const std::size_t mark = name.find(kIndexMark);
  return mark != std::string_view::npos && name.find(".txt", mark) != std::string_view::npos;
}

std::string find_stream_index(std::string_view path) {
  const std::string_view name = name_of(path);
  const std::size_t mark = name.find(kMark), xml = name.find(".xml", mark == std::string_view::npos ? name.size() : mark);
  if (xml == std::string_view::npos || !name.ends_with(".bz2") || is_stream_index(path)) return {};
  const std::size_t number = mark + kMark.size();
  std::string index(path.substr(0, path.size() - name.size()));
  index.append(name.substr(0, mark)).append(kIndexMark).append(name.substr(number, xml - number)).append(".txt").append(name.substr(xml + 4));
  std::error_code ignored;  // what cannot be looked at is not there
  if (std::filesystem::exists(index, ignored)) return index;
  index.resize(index.size() - 4);
  return std::filesystem::exists(index, ignored) ? index : std::string();
}

std::vector<WikiStream> read_stream_index(const std::string& path, std::int64_t dump_bytes) {
  StoredFile file(path);
  IndexLines lines(path, dump_bytes);
  constexpr std::size_t kStepBytes = 256 << 10, kLongestLine = 64 << 10;
  std::string buffer;
  while (true) {
    const std::size_t kept = buffer.size();
    buffer.resize(kept + kStepBytes);
    buffer.resize(kept + file.read(buffer.data() + kept, kStepBytes));
    if (buffer.size() == kept) break;
    std::size_t begin = 0;
    for (std::size_t end = buffer.find('\n'); end != std::string::npos; begin = end + 1, end = buffer.find('\n', begin)) lines.add(std::string_view(buffer).substr(begin, end - begin));
    buffer.erase(0, begin);
    if (buffer.size() > kLongestLine) lines.fail("no end after " + std::to_string(buffer.size()) + " bytes");
  }
  if (file.damage()) throw Error(Code::kCorruptData, path + ": " + file.damage()->message + "; move the index away to read the dump from front to back");
  if (!buffer.empty()) lines.add(buffer);
  return std::move(lines.streams);
}

}  // namespace flowrun::readers
