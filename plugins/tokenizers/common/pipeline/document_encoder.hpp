#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fast_bpe.hpp"
#include "metaspace_bpe.hpp"
#include "parts_encoder.hpp"
#include "tokenizer.hpp"

namespace flowrun::tokenizers {

/// Returns for how many ids to make room before `text_bytes` of text are encoded: most texts have fewer, and the pages that they leave are never touched.
constexpr std::size_t ids_expected(std::size_t text_bytes) noexcept { return text_bytes / 3; }

/// A tokenizer for documents: their ids and nothing else. No special tokens are added, none is recognized in the text, nothing is cut or padded
/// (docs/decisions/0006-text-is-data.md). Immutable: any number of threads, each with an Encoder of its own.
class DocumentTokenizer {
 public:
  /// Loads a tokenizer.json whose model must be of `model_type`. Throws as load_tokenizer; kInvalidArgument, naming the plugin to use, for another type.
  DocumentTokenizer(const std::string& path, std::string_view model_type);

  /// Returns the token by which documents that follow one another are told apart: `eos_token`, else `sep_token`, of the tokenizer_config.json beside a file of
  /// that name, else <|endoftext|>; nothing where the tokenizer has none of them.
  std::optional<std::uint32_t> endoftext_id() const noexcept { return endoftext_id_; }

  class Encoder {
   public:
    explicit Encoder(std::shared_ptr<const DocumentTokenizer> tokenizer);
    /// Appends the ids of `text`.
    void encode(std::string_view text, std::vector<std::uint32_t>& out);

   private:
    std::shared_ptr<const DocumentTokenizer> tokenizer_;
    std::unique_ptr<bpe::BpeEncoder> fast_;             // null: no document goes that way
    std::unique_ptr<MetaspaceBpe::Encoder> metaspace_;  // null: nor that way
    std::unique_ptr<PartsEncoder> parts_;               // null: nor that way
  };

 private:
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const FastBpe> fast_;            // null: no document goes that way
  std::shared_ptr<const MetaspaceBpe> metaspace_;  // null: nor that way
  std::optional<PartsRule> parts_rule_;            // how documents may be encoded part by part
  std::optional<std::uint32_t> endoftext_id_;
};

}  // namespace flowrun::tokenizers
