#pragma once

// A safetensors file whose arrays grow together while nobody knows how long they will be.
//
// The format (https://huggingface.co/docs/safetensors) puts a JSON header with all sizes before the data. Room for the longest header is left in front; the first array is
// written in its place, the others wait in files beside and are put behind it by `finish`, so memory does not grow with them. They are put there by falling width, and
// an array ":padding:0" of up to 7 bytes stands before them, ":padding:1" before the last, so that each begins at a multiple of its own width, as views on mapped memory need.
//
// The last array, ":checksums" (U32), holds CRC-32 (zlib's): of the header with its eight bytes of length, then of each kBlockBytes of the data before ":checksums".

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "writers/common/output_file.hpp"

namespace flowrun::writers {

/// An array of one dimension: safetensors' name of its type, and the bytes of a value.
struct ArraySpec {
  std::string name, dtype;
  std::int64_t width = 1;
};

/// Threads: one call at a time. Errors: kIo, naming the path. Memory: 256 KiB an array, and 4 bytes for each block.
class SafetensorsOutput {
 public:
  static constexpr std::int64_t kBlockBytes = 64 << 10;

  /// `metadata`: a JSON object of strings. Throws kInvalidArgument where two arrays have one name.
  SafetensorsOutput(std::string path, std::vector<ArraySpec> arrays, std::string metadata);
  /// Adds values to an array, by its place in the list.
  void append(std::size_t array, std::string_view bytes);
  /// Puts the file together. Without it the file is incomplete.
  void finish();

 private:
  /// An array in the order of the file.
  struct Placed {
    ArraySpec spec;
    std::int64_t bytes = 0;
  };
  struct Part {
    ArraySpec spec;
    std::int64_t bytes = 0;
    std::string path;                  ///< of the file beside; "": written in place
    std::unique_ptr<OutputFile> file;  ///< null: written in place
  };

  static std::string header(const std::vector<Placed>& arrays, const std::string& metadata);
  void put_data(std::string_view bytes);
  void put_padding(std::int64_t number, std::vector<Placed>& placed);
  void put_part(Part& part, std::vector<Placed>& placed);
  void put_checksums(std::vector<Placed>& placed);
  void put_header(const std::string& text) const;

  std::string path_, metadata_;
  std::int64_t header_bytes_;  ///< with the eight of its length
  std::vector<Part> parts_;    ///< in the order of the constructor's list
  std::unique_ptr<OutputFile> out_;
  std::int64_t data_bytes_ = 0, block_bytes_ = 0;
  std::uint32_t block_checksum_ = 0;
  std::vector<std::uint32_t> checksums_{0};  ///< the header's first
};

}  // namespace flowrun::writers
