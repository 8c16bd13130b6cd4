#include "shard.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "flowrun_shard.hpp"
#include "number_shard.hpp"

namespace flowrun::writers {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are in memory");

template <class Token>
void append_as(std::span<const std::uint32_t> tokens, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + tokens.size() * sizeof(Token));
  char* to = out.data() + begin;
  for (const std::uint32_t id : tokens) {
    const auto token = static_cast<Token>(id);
    std::memcpy(to, &token, sizeof token);
    to += sizeof token;
  }
}

}  // namespace

std::uint32_t ShardFormat::max_id() const noexcept {
  if (token_bytes == 2) return std::numeric_limits<std::uint16_t>::max();
  // Megatron-LM's four bytes are signed.
  return kind == Kind::kMegatron ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::uint32_t>::max();
}

std::unique_ptr<Shard> make_shard(const ShardFormat& format, const Field& schema, const std::string& stem) {
  if (format.kind == ShardFormat::Kind::kFlowrun) return std::make_unique<FlowrunShard>(schema, format.token_bytes, stem);
  return std::make_unique<NumberShard>(format, stem);
}

void append_tokens(std::span<const std::uint32_t> tokens, int token_bytes, std::string& out) {
  token_bytes == 2 ? append_as<std::uint16_t>(tokens, out) : append_as<std::uint32_t>(tokens, out);
}

}  // namespace flowrun::writers
