#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "parts_rule.hpp"
#include "tokenizer.hpp"
#include "tokenizers/common/pretoken_cache.hpp"

namespace flowrun::tokenizers {

/// Encodes the parts of a text one by one and remembers their ids, for tokenizers to which every part is a text of its own (parts_rule.hpp). For one thread at a
/// time; memory: a cache of 4 MiB, since to encode a part costs far more than to read one from memory.
class PartsEncoder {
 public:
  /// `tokenizer` must outlive this; `rule` is that of its file.
  PartsEncoder(const Tokenizer& tokenizer, PartsRule rule) : tokenizer_(tokenizer), rule_(std::move(rule)) {}

  /// Appends the ids of `text`. Throws as Tokenizer::encode.
  void encode(std::string_view text, std::vector<std::uint32_t>& out);

 private:
  using Cache = bpe::PretokenCache<4, 8, 15>;
  void encode_between_white_space(std::string_view text, std::vector<std::uint32_t>& out);
  void encode_between_cuts(std::string_view text, std::vector<std::uint32_t>& out);
  void encode_part(std::string_view text, std::size_t begin, std::size_t size, std::vector<std::uint32_t>& out);

  const Tokenizer& tokenizer_;
  PartsRule rule_;
  Tokenizer::Work work_;
  Cache cache_;
};

/// Appends the ids that a tokenizer gives to a text in which all is data.
void encode_as_data(const Tokenizer& tokenizer, std::string_view text, std::vector<std::uint32_t>& out);

}  // namespace flowrun::tokenizers
