#include "shard.hpp"

#include <flowrun/error.hpp>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

namespace flowrun::writers {
namespace {

static_assert(std::endian::native == std::endian::little, "tokens and indices are written as they are in memory");

constexpr std::string_view kMegatronMagic{"MMIDIDX\0\0", 9};
// Megatron-LM's codes of numpy's types.
constexpr std::uint8_t kMegatronUint16 = 8;
constexpr std::uint8_t kMegatronInt32 = 4;

template <class T>
std::string_view bytes_of(const T& value) noexcept {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

std::uint32_t ShardFormat::max_id() const noexcept {
  if (token_bytes == 2) return std::numeric_limits<std::uint16_t>::max();
  // Megatron-LM's four bytes are signed.
  return kind == Kind::kMegatron ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::uint32_t>::max();
}

Shard::Shard(const ShardFormat& format, std::string stem) : format_(format), stem_(std::move(stem)), bin_(stem_ + ".bin"), lengths_(stem_ + ".lengths") {}

template <class Token>
void Shard::write_tokens(std::span<const std::uint32_t> tokens) {
  buffer_.resize(tokens.size() * sizeof(Token));
  char* to = buffer_.data();
  for (const std::uint32_t id : tokens) {
    const auto token = static_cast<Token>(id);
    std::memcpy(to, &token, sizeof token);
    to += sizeof token;
  }
  bin_.write(buffer_);
}

void Shard::append(std::span<const std::uint32_t> tokens) {
  const auto write = [&](std::span<const std::uint32_t> part) { format_.token_bytes == 2 ? write_tokens<std::uint16_t>(part) : write_tokens<std::uint32_t>(part); };
  write(tokens);
  if (format_.endoftext_id) write({&*format_.endoftext_id, 1});
  // A batch holds fewer than 2^31 tokens, so the length of a document and its end fits.
  const auto length = static_cast<std::int32_t>(tokens.size() + (format_.endoftext_id ? 1 : 0));
  lengths_.write(bytes_of(length));
  ++documents_;
  tokens_ += length;
}

void Shard::finish() {
  bin_.finish();
  lengths_.finish();
  format_.kind == ShardFormat::Kind::kMegatron ? write_megatron_index() : write_raw_index();
  std::filesystem::remove(stem_ + ".lengths");
}

template <class Visit>
void Shard::for_each_length(const Visit& visit) const {
  const std::string path = stem_ + ".lengths";
  std::ifstream in(path, std::ios::binary);
  std::array<std::int32_t, 16384> lengths;
  std::int64_t seen = 0;
  while (in) {
    in.read(reinterpret_cast<char*>(lengths.data()), sizeof lengths);
    const auto count = static_cast<std::size_t>(in.gcount()) / sizeof(std::int32_t);
    for (std::size_t i = 0; i < count; ++i) visit(lengths[i]);
    seen += static_cast<std::int64_t>(count);
  }
  if (seen != documents_) throw Error(Code::kIo, path + ": " + std::to_string(seen) + " lengths can be read back, expected " + std::to_string(documents_));
}

void Shard::write_megatron_index() const {
  OutputFile out(stem_ + ".idx");
  out.write(kMegatronMagic);
  out.write(bytes_of(std::uint64_t{1}));
  out.write(bytes_of(format_.token_bytes == 2 ? kMegatronUint16 : kMegatronInt32));
  out.write(bytes_of(static_cast<std::uint64_t>(documents_)));
  out.write(bytes_of(static_cast<std::uint64_t>(documents_ + 1)));
  for_each_length([&](std::int32_t length) { out.write(bytes_of(length)); });
  std::int64_t pointer = 0;
  for_each_length([&](std::int32_t length) {
    out.write(bytes_of(pointer));
    pointer += std::int64_t{length} * format_.token_bytes;
  });
  for (std::int64_t document = 0; document <= documents_; ++document) out.write(bytes_of(document));
  out.finish();
}

void Shard::write_raw_index() const {
  OutputFile out(stem_ + ".json");
  out.write("{\"format\":\"raw_tokens\",\"version\":1,\"file\":\"" + std::filesystem::path(stem_).filename().string() + ".bin\",\"dtype\":\"" +
            (format_.token_bytes == 2 ? "uint16" : "uint32") + "\",\"endoftext_id\":" + (format_.endoftext_id ? std::to_string(*format_.endoftext_id) : "null") +
            ",\"documents\":" + std::to_string(documents_) + ",\"tokens\":" + std::to_string(tokens_) + ",\"lengths\":[");
  bool first = true;
  for_each_length([&](std::int32_t length) {
    out.write((first ? "" : ",") + std::to_string(length));
    first = false;
  });
  out.write("]}\n");
  out.finish();
}

}  // namespace flowrun::writers
