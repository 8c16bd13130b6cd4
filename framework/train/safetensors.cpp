#include "train/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

#include "base/durable.hpp"

namespace flowrun::train::safetensors {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr std::uint64_t kLengthBytes = 8;

[[noreturn]] void corrupt(const std::string& file, const std::string& text) { throw Error(Code::kCorruptData, "'" + file + "': " + text); }

std::optional<std::uint64_t> multiplied(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
  return a * b;
}

/// Parses JSON and refuses a key that stands twice in one object: parsers differ on which of the two counts.
Json parse_strict(std::string_view text, const std::string& file) {
  std::vector<std::set<std::string>> keys;
  const auto callback = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      corrupt(file, "the header has the key '" + parsed.get<std::string>() + "' twice");
    return true;
  };
  try {
    return Json::parse(text, callback);
  } catch (const Json::exception& error) {
    corrupt(file, std::string("the header is not JSON: ") + error.what());
  }
}

std::uint64_t unsigned_integer(const Json& value, const std::string& file, const std::string& where) {
  if (!value.is_number_unsigned()) corrupt(file, where + " is " + value.dump() + ", expected a whole number of at least 0");
  return value.get<std::uint64_t>();
}

TensorInfo parse_tensor(const std::string& name, const Json& value, const std::string& file) {
  const std::string where = "tensor '" + name + "'";
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets"))
    corrupt(file, where + " must have exactly dtype, shape and data_offsets");
  TensorInfo info;
  if (!value["dtype"].is_string()) corrupt(file, where + ": dtype is not a string");
  info.dtype = value["dtype"].get<std::string>();
  const std::uint64_t width = dtype_bytes(info.dtype);
  if (width == 0) corrupt(file, where + " has the unknown dtype '" + info.dtype + "'");
  if (!value["shape"].is_array()) corrupt(file, where + ": shape is not a list");
  std::optional<std::uint64_t> size = width;
  for (const Json& extent : value["shape"]) {
    const std::uint64_t length = unsigned_integer(extent, file, where + ": an extent of shape");
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) corrupt(file, where + ": an extent of shape is above 2^63");
    size = multiplied(*size, length);
    if (!size) corrupt(file, where + ": the product of shape overflows");
    info.shape.push_back(static_cast<std::int64_t>(length));
  }
  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) corrupt(file, where + ": data_offsets is not a pair");
  info.begin = unsigned_integer(offsets[0], file, where + ": data_offsets");
  info.end = unsigned_integer(offsets[1], file, where + ": data_offsets");
  if (info.end < info.begin || info.end - info.begin != *size)
    corrupt(file, fmt::format("{} has data_offsets [{}, {}], expected {} bytes for its dtype and shape", where, info.begin, info.end, *size));
  return info;
}

/// Checks that the tensors, in the order of their offsets, cover the data exactly.
void check_coverage(const Header& header, std::uint64_t data_bytes, const std::string& file) {
  std::vector<std::pair<const std::string*, const TensorInfo*>> order;
  for (const auto& [name, info] : header.tensors) order.emplace_back(&name, &info);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end); });
  std::uint64_t at = 0;
  for (const auto& [name, info] : order) {
    if (info->begin != at) corrupt(file, fmt::format("tensor '{}' begins at byte {} of the data, expected {}", *name, info->begin, at));
    at = info->end;
  }
  if (at != data_bytes) corrupt(file, fmt::format("the data has {} bytes, expected {}", data_bytes, at));
}

}  // namespace

std::uint64_t dtype_bytes(std::string_view dtype) noexcept {
  static constexpr std::pair<std::string_view, std::uint64_t> kWidths[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
      {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8}};
  for (const auto& [name, width] : kWidths)
    if (name == dtype) return width;
  return 0;
}

Header parse_header(std::span<const std::byte> head, std::uint64_t file_bytes, const std::string& name) {
  if (file_bytes < kLengthBytes || head.size() < kLengthBytes) corrupt(name, fmt::format("the file has {} bytes, expected at least 8", file_bytes));
  std::uint64_t length = 0;
  std::memcpy(&length, head.data(), kLengthBytes);
  if (length > kMaxHeaderBytes) corrupt(name, fmt::format("the header has {} bytes, expected at most {}", length, kMaxHeaderBytes));
  if (length > file_bytes - kLengthBytes || length > head.size() - kLengthBytes)
    corrupt(name, fmt::format("the header has {} bytes, but {} follow its length", length, file_bytes - kLengthBytes));
  const std::string_view text(reinterpret_cast<const char*>(head.data()) + kLengthBytes, length);
  if (text.empty() || text.front() != '{') corrupt(name, "the header does not begin with '{'");
  const Json json = parse_strict(text, name);

  Header header;
  header.data_offset = kLengthBytes + length;
  for (const auto& [key, value] : json.items()) {
    if (key != "__metadata__") {
      header.tensors.emplace(key, parse_tensor(key, value, name));
      continue;
    }
    if (!value.is_object()) corrupt(name, "__metadata__ is not an object");
    for (const auto& [item, text_value] : value.items()) {
      if (!text_value.is_string()) corrupt(name, "__metadata__ '" + item + "' is not a string");
      header.metadata.emplace(item, text_value.get<std::string>());
    }
  }
  check_coverage(header, file_bytes - header.data_offset, name);
  return header;
}

File::File(const std::string& path) : path_(path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  size_ = known ? static_cast<std::uint64_t>(status.st_size) : 0;
  void* mapped = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int failure = errno;
  ::close(descriptor);
  if (!known || mapped == MAP_FAILED) throw Error(Code::kIo, fmt::format("cannot read '{}': {}", path, std::strerror(failure)));
  data_ = static_cast<const std::byte*>(mapped);
  try {
    header_ = parse_header({data_, size_}, size_, path);
  } catch (...) {
    if (mapped != nullptr) ::munmap(mapped, size_);
    throw;
  }
}

File::~File() { ::munmap(const_cast<std::byte*>(data_), size_); }

std::span<const std::byte> File::bytes(const std::string& name) const {
  const auto found = header_.tensors.find(name);
  if (found == header_.tensors.end()) throw Error(Code::kNotFound, "'" + path_ + "' has no tensor '" + name + "'");
  return {data_ + header_.data_offset + found->second.begin, found->second.end - found->second.begin};
}

void write_file(const std::string& path, std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const TensorView& tensor : tensors) {
    std::uint64_t size = dtype_bytes(tensor.dtype);
    for (const std::int64_t extent : tensor.shape) size *= static_cast<std::uint64_t>(extent);
    if (size != tensor.bytes.size())
      throw Error(Code::kInvalidArgument, fmt::format("tensor '{}' has {} bytes, expected {} for its dtype and shape", tensor.name, tensor.bytes.size(), size));
    if (header.contains(tensor.name)) throw Error(Code::kInvalidArgument, "two tensors have the name '" + tensor.name + "'");
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text = header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');  // tensors begin at a multiple of eight
  if (text.size() > kMaxHeaderBytes) throw Error(Code::kInvalidArgument, fmt::format("the header of '{}' would have {} bytes, more than {}", path, text.size(), kMaxHeaderBytes));
  const std::uint64_t length = text.size();

  io::StagedFile file(path);
  file.write(&length, kLengthBytes);
  file.write(text);
  for (const TensorView& tensor : tensors) file.write(tensor.bytes.data(), tensor.bytes.size());
  file.commit();
}

}  // namespace flowrun::train::safetensors
