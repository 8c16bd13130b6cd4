#pragma once

// Multistream dumps: a .bz2 file of many streams, each of up to 100 pages, and an index that names each page's stream. So the streams can be
// read on several threads. https://meta.wikimedia.org/wiki/Data_dumps/Dump_format

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// A stream of pages: where it begins in the stored dump, and how many pages it has.
struct WikiStream {
  std::int64_t begin = 0;
  std::int64_t page_count = 0;
  bool operator==(const WikiStream&) const = default;
};

/// Returns whether the file is the index of a multistream dump, by its name.
bool is_stream_index(std::string_view path) noexcept;

/// Returns the path of the index beside a multistream dump: ...-multistream-index.txt.bz2 or .txt for ...-multistream.xml.bz2, likewise with
/// numbers ("-multistream1.xml-p1p41242.bz2"). Returns "" where the name is that of none or there is no such file.
std::string find_stream_index(std::string_view path);

/// Reads an index, lines of OFFSET:ID:TITLE. `dump_bytes` is the size of the dump.
/// Throws kCorruptData where it is damaged or its offsets do not grow within the dump; kNotFound and kIo.
std::vector<WikiStream> read_stream_index(const std::string& path, std::int64_t dump_bytes);

}  // namespace flowrun::readers
