#include "number_shard.hpp"

#include <flowrun/error.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace flowrun::writers {
namespace {

constexpr std::string_view kMegatronMagic{"MMIDIDX\0\0", 9};
// Megatron-LM's codes of numpy's types.
constexpr std::uint8_t kMegatronUint16 = 8;
constexpr std::uint8_t kMegatronInt32 = 4;

}  // namespace

NumberShard::NumberShard(const ShardFormat& format, std::string stem) : format_(format), stem_(std::move(stem)), bin_(stem_ + ".bin"), lengths_(stem_ + ".lengths") {}

void NumberShard::append(const TokensView& documents, std::int64_t row) {
  const auto tokens = documents.input_ids[row];
  buffer_.clear();
  append_tokens(tokens, format_.token_bytes, buffer_);
  if (format_.endoftext_id) append_tokens({&*format_.endoftext_id, 1}, format_.token_bytes, buffer_);
  bin_.write(buffer_);
  // A batch holds fewer than 2^31 tokens, so the length of a document and its end fits.
  const auto length = static_cast<std::int32_t>(tokens.size() + (format_.endoftext_id ? 1 : 0));
  lengths_.write(bytes_of(length));
  ++documents_;
  tokens_ += length;
}

void NumberShard::finish() {
  bin_.finish();
  lengths_.finish();
  format_.kind == ShardFormat::Kind::kMegatron ? write_megatron_index() : write_raw_index();
  std::filesystem::remove(stem_ + ".lengths");
}

template <class Visit>
void NumberShard::for_each_length(const Visit& visit) const {
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

void NumberShard::write_megatron_index() const {
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

void NumberShard::write_raw_index() const {
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
