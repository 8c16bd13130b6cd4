#pragma once

// What all formats of shards have in common.

#include <flowrun/message.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace flowrun::writers {

/// How shards are written.
struct ShardFormat {
  enum class Kind { kMegatron, kRaw, kFlowrun } kind = Kind::kMegatron;
  int token_bytes = 4;                        ///< 2 or 4
  std::optional<std::uint32_t> endoftext_id;  ///< what ends every document, where something does

  /// Returns the largest id that a shard can hold.
  std::uint32_t max_id() const noexcept;
};

/// Writes one shard, from front to back. Threads: one call at a time. Errors: kIo, naming the path.
class Shard {
 public:
  virtual ~Shard() = default;
  /// Adds a document, whose ids are at most `max_id`.
  virtual void append(const TokensView& documents, std::int64_t row) = 0;
  /// Writes what stands at the end. Without it the shard is incomplete.
  virtual void finish() = 0;

  std::int64_t document_count() const noexcept { return documents_; }
  std::int64_t token_count() const noexcept { return tokens_; }

 protected:
  std::int64_t documents_ = 0, tokens_ = 0;
};

/// Begins a shard of documents with the columns of `schema`. `stem`: the path without the suffixes.
std::unique_ptr<Shard> make_shard(const ShardFormat& format, const Field& schema, const std::string& stem);

/// Appends tokens to `out` as little-endian numbers of 2 or 4 bytes.
void append_tokens(std::span<const std::uint32_t> tokens, int token_bytes, std::string& out);

/// Returns the bytes of a number as they are stored.
template <class T>
std::string_view bytes_of(const T& value) noexcept {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace flowrun::writers
