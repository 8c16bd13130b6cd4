#include "tokenizer.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::tokenizers {
namespace {

/// Returns elements [first, first + count) of every list.
Encoding part_of(const Encoding& all, std::size_t first, std::size_t count) {
  Encoding part;
  for (std::size_t i = first; i < first + count; ++i) part.add(all.ids[i], all.tokens[i], all.offsets[i], all.type_ids[i], all.special[i]);
  return part;
}

/// Turns offsets in bytes of `text` into offsets in code points. Before the post-processor: it trims white space character by character.
void count_in_code_points(std::string_view text, Encoding& encoding) {
  std::vector<std::uint32_t> before(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) before[i + 1] = before[i] + ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 ? 1 : 0);
  for (Range& offset : encoding.offsets) offset = {before[offset.begin], before[offset.end]};
}

}  // namespace

Tokenizer::Tokenizer(TokenizerParts parts) : parts_(std::move(parts)), added_(parts_.added_tokens, parts_.normalizer.get()) {
  vocab_size_ = parts_.model->vocab_size();
  if (!added_.all().empty()) vocab_size_ = std::max<std::size_t>(vocab_size_, added_.all().rbegin()->first + std::size_t{1});
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  Pieces pieces = added_.extract(text, parts_.normalizer.get(), options.split_special);
  if (parts_.pre_tokenizer) parts_.pre_tokenizer->apply(pieces);
  Encoding encoding;
  tokenize(pieces, encoding);
  if (options.offsets) count_in_code_points(text, encoding);
  if (options.limit && parts_.truncation) truncate(encoding, options.add_special_tokens);
  if (parts_.post_processor) parts_.post_processor->apply(encoding, options.add_special_tokens);
  if (options.limit && parts_.padding) pad(encoding);
  return encoding;
}

void Tokenizer::append_ids(std::string_view text, Work& work, std::vector<std::uint32_t>& out) const {
  if (!work.scratch) work.scratch = parts_.model->make_scratch();
  Pieces pieces = added_.extract(text, parts_.normalizer.get(), true);
  if (parts_.pre_tokenizer) parts_.pre_tokenizer->apply(pieces);
  for (const Piece& piece : pieces) {
    if (piece.added_id) {
      out.push_back(*piece.added_id);
      continue;
    }
    work.tokens.clear();
    parts_.model->tokenize(piece.text.text(), work.tokens, *work.scratch);
    for (const Token& token : work.tokens) out.push_back(token.id);
  }
}

void Tokenizer::tokenize(const Pieces& pieces, Encoding& encoding) const {
  const std::unique_ptr<Scratch> scratch = parts_.model->make_scratch();
  std::vector<Token> tokens;
  for (const Piece& piece : pieces) {
    const std::string& text = piece.text.text();
    const auto origin = [&](std::uint32_t begin, std::uint32_t end) { return piece.text.original_of({begin, end}); };
    if (piece.added_id) {
      encoding.add(*piece.added_id, text, origin(0, static_cast<std::uint32_t>(text.size())), 0, false);
      continue;
    }
    tokens.clear();
    parts_.model->tokenize(text, tokens, *scratch);
    for (const Token& token : tokens) encoding.add(token.id, std::string(parts_.model->spelling(token, text)), origin(token.begin, token.end), 0, false);
  }
}

void Tokenizer::truncate(Encoding& encoding, bool add_special_tokens) const {
  const std::size_t added = add_special_tokens && parts_.post_processor ? parts_.post_processor->added_tokens() : 0;
  if (added > parts_.truncation->max_length) return;  // the library's subtraction wraps round: nothing is cut where its own tokens have no room
  const std::size_t length = parts_.truncation->max_length - added;
  if (encoding.size() <= length) return;
  encoding = part_of(encoding, parts_.truncation->left ? encoding.size() - length : 0, length);
}

void Tokenizer::pad(Encoding& encoding) const {
  const Padding& padding = *parts_.padding;
  std::size_t length = padding.fixed_length.value_or(encoding.size());
  if (padding.multiple_of > 0 && length % padding.multiple_of != 0) length += padding.multiple_of - length % padding.multiple_of;
  if (encoding.size() >= length) return;
  Encoding pads;
  while (pads.size() + encoding.size() < length) pads.add(padding.id, padding.token, {}, padding.type_id, true, true);
  Encoding& first = padding.left ? pads : encoding;
  Encoding& second = padding.left ? encoding : pads;
  for (std::size_t i = 0; i < second.size(); ++i)
    first.add(second.ids[i], second.tokens[i], second.offsets[i], second.type_ids[i], second.special[i], second.padding[i]);
  if (padding.left) encoding = std::move(pads);
}

std::string Tokenizer::decode(std::span<const std::uint32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const std::uint32_t id : ids) {
    const auto token = id_to_token(id);
    if (token && !(skip_special_tokens && added_.is_special(*token))) tokens.emplace_back(*token);
  }
  if (parts_.decoder && !tokens.empty()) tokens = parts_.decoder->apply(std::move(tokens));
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) text += (i > 0 && !parts_.decoder ? " " : "") + tokens[i];
  return text;
}

std::optional<std::uint32_t> Tokenizer::token_to_id(std::string_view token) const {
  if (const auto added = added_.token_to_id(token)) return added;
  return parts_.model->token_to_id(token);
}

std::optional<std::string_view> Tokenizer::id_to_token(std::uint32_t id) const {
  if (const auto added = added_.id_to_token(id)) return added;
  return parts_.model->id_to_token(id);
}

}  // namespace flowrun::tokenizers
