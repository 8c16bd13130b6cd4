#pragma once

// What is put around a text's tokens, and how their offsets are trimmed, as Hugging Face tokenizers 0.23.3 does it (processors/*.rs), for one sequence.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "encoding.hpp"

namespace flowrun::tokenizers {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  /// Returns how many tokens `apply` adds: truncation leaves room for them.
  virtual std::size_t added_tokens() const = 0;
  virtual void apply(Encoding& encoding, bool add_special_tokens) const = 0;
};

/// A special token as it is spelled in the vocabulary.
using SpecialToken = std::pair<std::string, std::uint32_t>;

/// A piece of a template: the sequence, or special tokens under one name.
struct TemplatePiece {
  bool is_sequence = false;
  std::uint32_t type_id = 0;
  std::vector<SpecialToken> tokens = {};
};

std::unique_ptr<PostProcessor> make_bert_processing(SpecialToken sep, SpecialToken cls);
std::unique_ptr<PostProcessor> make_roberta_processing(SpecialToken sep, SpecialToken cls, bool trim_offsets, bool add_prefix_space);
std::unique_ptr<PostProcessor> make_byte_level_processing(bool trim_offsets, bool add_prefix_space);
std::unique_ptr<PostProcessor> make_template_processing(std::vector<TemplatePiece> pieces);
std::unique_ptr<PostProcessor> make_sequence(std::vector<std::unique_ptr<PostProcessor>> steps);

}  // namespace flowrun::tokenizers
