#pragma once

// A shard of tokens alone: its documents one after another as fixed-width numbers in NAME.bin, and an index beside it.
//
//   megatron  NAME.idx, the index of Megatron-LM's IndexedDataset, little-endian: "MMIDIDX" and two zero bytes, version 1 (u64), the code of the tokens' type
//             (u8: 8 uint16, 4 int32), sequences S (u64), document marks D (u64); lengths of the sequences in tokens (i32 * S), where each begins in NAME.bin in
//             bytes (i64 * S), the first sequence of each document and the end (i64 * D). Here a sequence is a document, so D = S + 1.
//   raw       NAME.json: {"format", "version", "file", "dtype", "endoftext_id", "documents", "tokens", "lengths"}.

#include <cstdint>
#include <string>

#include "shard.hpp"
#include "writers/common/output_file.hpp"

namespace flowrun::writers {

/// Writes one shard. The lengths of its documents wait in a file, not in memory, because what holds them is written last.
class NumberShard : public Shard {
 public:
  NumberShard(const ShardFormat& format, std::string stem);
  /// Adds the tokens of a document and the end-of-text id.
  void append(const TokensView& documents, std::int64_t row) override;
  void finish() override;

 private:
  template <class Visit>
  void for_each_length(const Visit& visit) const;
  void write_megatron_index() const;
  void write_raw_index() const;

  ShardFormat format_;
  std::string stem_;
  OutputFile bin_, lengths_;
  std::string buffer_;  ///< kept for its memory alone
};

}  // namespace flowrun::writers
