#pragma once

// One shard of tokens: its documents one after another as fixed-width numbers in NAME.bin, and an index beside it.
//
//   megatron  NAME.idx, the index of Megatron-LM's IndexedDataset, little-endian: "MMIDIDX" and two zero bytes, version 1 (u64), the code of the tokens' type
//             (u8: 8 uint16, 4 int32), sequences S (u64), document marks D (u64); lengths of the sequences in tokens (i32 * S), where each begins in NAME.bin in
//             bytes (i64 * S), the first sequence of each document and the end (i64 * D). Here a sequence is a document, so D = S + 1.
//   raw       NAME.json: {"format", "version", "file", "dtype", "endoftext_id", "documents", "tokens", "lengths"}.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "writers/common/output_file.hpp"

namespace flowrun::writers {

/// How shards are written.
struct ShardFormat {
  enum class Kind { kMegatron, kRaw } kind = Kind::kMegatron;
  int token_bytes = 4;                        ///< 2 or 4
  std::optional<std::uint32_t> endoftext_id;  ///< what ends every document, where something does

  /// Returns the largest id that a shard can hold.
  std::uint32_t max_id() const noexcept;
};

/// Writes one shard. The lengths of its documents wait in a file, not in memory, because what holds them is written last.
///
/// Errors: kIo, naming the path. Threads: one call at a time.
class Shard {
 public:
  /// `stem`: the path without the suffixes.
  Shard(const ShardFormat& format, std::string stem);
  /// Adds a document, whose ids are at most `max_id`, and the end-of-text id.
  void append(std::span<const std::uint32_t> tokens);
  /// Writes the index. Without it the shard is incomplete.
  void finish();

  std::int64_t document_count() const noexcept { return documents_; }
  std::int64_t token_count() const noexcept { return tokens_; }

 private:
  template <class Token>
  void write_tokens(std::span<const std::uint32_t> tokens);
  template <class Visit>
  void for_each_length(const Visit& visit) const;
  void write_megatron_index() const;
  void write_raw_index() const;

  ShardFormat format_;
  std::string stem_;
  OutputFile bin_, lengths_;
  std::string buffer_;  ///< kept for its memory alone
  std::int64_t documents_ = 0, tokens_ = 0;
};

}  // namespace flowrun::writers
