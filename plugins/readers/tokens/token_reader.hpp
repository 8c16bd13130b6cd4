#pragma once

// Documents of tokens out of files: what all formats have in common.

#include <flowrun/node.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "value_builder.hpp"

namespace flowrun::readers {

/// A document as found. Valid until the next call of `TokenReader::next`.
struct TokenRecord {
  std::int64_t number = 0;  ///< in its file, from 0; refused ones count
  std::vector<std::uint32_t> input_ids;
  std::vector<std::int64_t> labels;  ///< of JSONL alone
  std::optional<std::string> id, domain;
  std::int64_t bytes = 0;  ///< of the text, 0 where the file does not say
};

/// Why a document is refused.
struct TokenRefusal {
  std::int64_t number = 0;
  const char* code = "";
  std::string message;
  std::int64_t offset = -1;  ///< in the file as stored; -1: unknown
};

/// Reads one file, or one pair of files, from front to back. One call at a time.
class TokenReader {
 public:
  enum class Step { kRecord, kRefused, kEnd };
  virtual ~TokenReader() = default;
  /// Gives the next document, or why it is refused. Throws kCorruptData where the rest of the file cannot be read, and kIo.
  virtual Step next(const Call& call, TokenRecord& record, TokenRefusal& refusal) = 0;
  /// Appends the last record's values of the columns that the format has beside those of tokens, one a builder.
  virtual void append_columns(const TokenRecord& record, std::span<ValueBuilder> builders) { (void)record, (void)builders; }
};

/// Reads Megatron-LM's IndexedDataset: index version 1, tokens of any integer type. Sequences of a document are joined.
std::unique_ptr<TokenReader> read_megatron(const std::string& index_path, const std::string& bin_path);

/// Reads plain numbers with the JSON index of writers/token_shards.
std::unique_ptr<TokenReader> read_raw(const std::string& index_path, const std::string& bin_path);

/// Reads writers/token_shards' safetensors files, which have columns of their own; those are given in the order of the file's schema.
std::unique_ptr<TokenReader> read_flowrun(const std::string& path);

/// Reads JSON Lines with the key `input_ids` and, where they are there, `id`, `domain`, `bytes`; `labels` where they are asked for, as a column. Decompressed
/// as `StoredFile` does. Memory: the longest line a few times, at most `max_record_bytes`.
std::unique_ptr<TokenReader> read_jsonl(const Call& call, const std::string& path, bool with_labels, std::size_t max_record_bytes);

}  // namespace flowrun::readers
