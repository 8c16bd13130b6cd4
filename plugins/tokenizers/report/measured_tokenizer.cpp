#include "measured_tokenizer.hpp"

#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {

MeasuredTokenizer::MeasuredTokenizer(const std::string& path) {
  const Json root = load_json(path);
  try {
    tokenizer_ = std::make_unique<const Tokenizer>(build_tokenizer(root));
    vocabulary_ = read_vocabulary_texts(root, *tokenizer_);
    fast_ = FastBpe::make(root);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
  if (fast_) fast_encoder_ = fast_->make_encoder();
}

void MeasuredTokenizer::encode(std::string_view text, MeasuredTokens& out) {
  if (fast_ && fast_->fits(text) && encode_fast(text, out)) return;
  Encoding encoding = tokenizer_->encode(text, {.add_special_tokens = false, .split_special = true, .limit = false, .offsets = true});
  out.ids = std::move(encoding.ids);
  out.ranges = std::move(encoding.offsets);
  out.in_bytes = false;
}

/// Byte-level tokens cover the text without gaps, so their lengths say where they stand. Returns false should they not.
bool MeasuredTokenizer::encode_fast(std::string_view text, MeasuredTokens& out) {
  out.ids.clear();
  out.ranges.clear();
  fast_encoder_->encode(text, out.ids);
  std::uint64_t begin = 0;
  for (const std::uint32_t id : out.ids) {
    const std::uint64_t end = begin + vocabulary_.tokens[id].text.size();
    if (end > text.size()) return false;
    out.ranges.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = end;
  }
  out.in_bytes = true;
  return begin == text.size();
}

}  // namespace flowrun::tokenizers
