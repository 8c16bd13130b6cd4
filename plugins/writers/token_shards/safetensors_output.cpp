#include "safetensors_output.hpp"

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

namespace flowrun::writers {
namespace {

constexpr std::int64_t kAlignment = 8;  // the widest number's
constexpr std::int64_t kDigitsMax = 19;  // of a number of 63 bits

std::int64_t padding_of(std::int64_t bytes) noexcept { return (kAlignment - bytes % kAlignment) % kAlignment; }

std::uint32_t crc32_of(std::uint32_t before, std::string_view bytes) noexcept {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

ArraySpec padding_spec(std::int64_t number) { return {":padding:" + std::to_string(number), "U8", 1}; }
ArraySpec checksums_spec() { return {":checksums", "U32", sizeof(std::uint32_t)}; }

}  // namespace

SafetensorsOutput::SafetensorsOutput(std::string path, std::vector<ArraySpec> arrays, std::string metadata) : path_(std::move(path)), metadata_(std::move(metadata)) {
  std::set<std::string> names{"__metadata__"};
  std::vector<Placed> placed{{padding_spec(0)}, {padding_spec(1)}, {checksums_spec()}};
  for (const Placed& own : placed) names.insert(own.spec.name);
  for (ArraySpec& spec : arrays) {
    if (!names.insert(spec.name).second) throw Error(Code::kInvalidArgument, "two columns need an array '" + spec.name + "' in " + path_ + ", expected different names");
    placed.push_back({spec});
    Part part{std::move(spec), 0, {}, nullptr};
    if (!parts_.empty()) {
      part.path = path_ + "." + std::to_string(parts_.size()) + ".part";
      part.file = std::make_unique<OutputFile>(part.path);
    }
    parts_.push_back(std::move(part));
  }
  // Three numbers an array, each of one digit here.
  const std::int64_t longest = static_cast<std::int64_t>(header(placed, metadata_).size()) + 3 * (kDigitsMax - 1) * static_cast<std::int64_t>(placed.size());
  header_bytes_ = 8 + longest + padding_of(longest);
  out_ = std::make_unique<OutputFile>(path_);
  out_->write(std::string(static_cast<std::size_t>(header_bytes_), ' '));
}

std::string SafetensorsOutput::header(const std::vector<Placed>& arrays, const std::string& metadata) {
  std::string text = "{\"__metadata__\":" + metadata;
  std::int64_t begin = 0;
  for (const Placed& array : arrays) {
    const std::int64_t end = begin + array.bytes;
    text += "," + json::quote(array.spec.name) + ":{\"dtype\":\"" + array.spec.dtype + "\",\"shape\":[" + std::to_string(array.bytes / array.spec.width) + "],\"data_offsets\":[" +
            std::to_string(begin) + "," + std::to_string(end) + "]}";
    begin = end;
  }
  return text + "}";
}

void SafetensorsOutput::append(std::size_t array, std::string_view bytes) {
  Part& part = parts_[array];
  part.bytes += static_cast<std::int64_t>(bytes.size());
  if (part.file) part.file->write(bytes);
  else put_data(bytes);
}

void SafetensorsOutput::put_data(std::string_view bytes) {
  out_->write(bytes);
  data_bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const std::string_view now = bytes.substr(0, static_cast<std::size_t>(kBlockBytes - block_bytes_));
    block_checksum_ = crc32_of(block_checksum_, now);
    block_bytes_ += static_cast<std::int64_t>(now.size());
    bytes.remove_prefix(now.size());
    if (block_bytes_ < kBlockBytes) return;
    checksums_.push_back(std::exchange(block_checksum_, 0));
    block_bytes_ = 0;
  }
}

void SafetensorsOutput::put_padding(std::int64_t number, std::vector<Placed>& placed) {
  const std::int64_t bytes = padding_of(data_bytes_);
  put_data(std::string(static_cast<std::size_t>(bytes), '\0'));
  placed.push_back({padding_spec(number), bytes});
}

void SafetensorsOutput::put_part(Part& part, std::vector<Placed>& placed) {
  part.file->finish();
  part.file.reset();
  std::ifstream in(part.path, std::ios::binary);
  std::string chunk(OutputFile::kChunkBytes, '\0');
  std::int64_t left = part.bytes;
  while (left > 0 && in) {
    in.read(chunk.data(), static_cast<std::streamsize>(std::min(left, static_cast<std::int64_t>(chunk.size()))));
    put_data(std::string_view(chunk).substr(0, static_cast<std::size_t>(in.gcount())));
    left -= in.gcount();
  }
  if (left != 0) throw Error(Code::kIo, part.path + ": " + std::to_string(part.bytes - left) + " bytes can be read back, expected " + std::to_string(part.bytes));
  in.close();
  std::filesystem::remove(part.path);
  placed.push_back({part.spec, part.bytes});
}

void SafetensorsOutput::finish() {
  std::vector<Placed> placed{{parts_[0].spec, parts_[0].bytes}};
  put_padding(0, placed);
  std::vector<Part*> order;
  for (std::size_t i = 1; i < parts_.size(); ++i) order.push_back(&parts_[i]);
  std::stable_sort(order.begin(), order.end(), [](const Part* a, const Part* b) { return a->spec.width > b->spec.width; });
  for (Part* part : order) put_part(*part, placed);
  put_padding(1, placed);
  if (block_bytes_ > 0) checksums_.push_back(block_checksum_);
  put_checksums(placed);
}

void SafetensorsOutput::put_checksums(std::vector<Placed>& placed) {
  placed.push_back({checksums_spec(), static_cast<std::int64_t>(checksums_.size() * sizeof(std::uint32_t))});
  std::string text = header(placed, metadata_);
  text.resize(static_cast<std::size_t>(header_bytes_ - 8), ' ');
  const auto length = static_cast<std::uint64_t>(text.size());
  text.insert(0, reinterpret_cast<const char*>(&length), sizeof length);
  checksums_[0] = crc32_of(0, text);
  out_->write({reinterpret_cast<const char*>(checksums_.data()), checksums_.size() * sizeof(std::uint32_t)});
  out_->finish();
  put_header(text);
}

void SafetensorsOutput::put_header(const std::string& text) const {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path_.c_str(), "r+be"), close);
  const bool good = file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0;
  if (!good) throw Error(Code::kIo, path_ + ": the header cannot be written: " + std::strerror(errno));
}

}  // namespace flowrun::writers
