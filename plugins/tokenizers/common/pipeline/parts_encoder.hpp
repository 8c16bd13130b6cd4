#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer.hpp"
#include "tokenizers/common/json_object.hpp"
#include "tokenizers/common/pretoken_cache.hpp"

namespace flowrun::tokenizers {

/// Encodes the parts of a text between spaces one by one and remembers their ids, for tokenizers to which every part is a text of its own: BERT's, and others
/// that cut at white space. For one thread at a time; memory: a cache of 1 MiB.
class PartsEncoder {
 public:
  /// Returns whether the tokenizer of a file cuts at spaces, line feeds, tabs and returns, whatever stands around them.
  static bool serves(const Json& root);

  /// `tokenizer` must outlive this.
  explicit PartsEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// Appends the ids of `text`. Throws as Tokenizer::encode.
  void encode(std::string_view text, std::vector<std::uint32_t>& out);

 private:
  using Cache = bpe::PretokenCache<4, 8, 13>;
  void encode_part(std::string_view text, std::size_t begin, std::size_t size, std::vector<std::uint32_t>& out);

  const Tokenizer& tokenizer_;
  Cache cache_;
};

/// Appends the ids that a tokenizer gives to a text in which all is data.
void encode_as_data(const Tokenizer& tokenizer, std::string_view text, std::vector<std::uint32_t>& out);

}  // namespace flowrun::tokenizers
