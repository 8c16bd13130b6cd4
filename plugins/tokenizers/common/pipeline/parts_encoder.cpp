#include "parts_encoder.hpp"

namespace flowrun::tokenizers {
namespace {

// What is white space to every pre-tokenizer that cuts at it (parts_rule.cpp), and to BertNormalizer with or without `clean_text`. (A vertical tab is a control character
// to the latter, which takes it out.)
constexpr bool divides(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

void PartsEncoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  if (rule_.cut == PartsRule::Cut::kAtWhiteSpace) encode_between_white_space(text, out);
  else encode_between_cuts(text, out);
}

void PartsEncoder::encode_between_white_space(std::string_view text, std::vector<std::uint32_t>& out) {
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    for (end = begin; end < text.size() && !divides(text[end]);) ++end;
    if (end > begin) encode_part(text, begin, end - begin, out);
  }
}

void PartsEncoder::encode_between_cuts(std::string_view text, std::vector<std::uint32_t>& out) {
  const std::size_t dropped = rule_.cut == PartsRule::Cut::kAtSpaces ? 1 : 0;
  std::size_t begin = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (!rule_.is_space(text[at]) || !rule_.allows(text, at)) continue;
    encode_part(text, begin, at - begin, out);
    begin = at + dropped;
  }
  if (begin < text.size()) encode_part(text, begin, text.size() - begin, out);
}

void PartsEncoder::encode_part(std::string_view text, std::size_t begin, std::size_t size, std::vector<std::uint32_t>& out) {
  if (size > Cache::Key::kBytesMax) return tokenizer_.append_ids(text.substr(begin, size), work_, out);
  const auto key = Cache::Key::of(text, begin, size);
  Cache::Entry* const set = cache_.set_of(key);
  if (const auto* const entry = Cache::look_up(key, set)) {
    out.insert(out.end(), entry->ids, entry->ids + entry->size());
    return;
  }
  const std::size_t before = out.size();
  tokenizer_.append_ids(text.substr(begin, size), work_, out);
  if (out.size() > before) Cache::remember(key, set, out.data() + before, out.size() - before);  // none: control characters alone
}

void encode_as_data(const Tokenizer& tokenizer, std::string_view text, std::vector<std::uint32_t>& out) {
  const Encoding encoding = tokenizer.encode(text, {.add_special_tokens = false, .split_special = true, .limit = false, .offsets = false});
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
}

}  // namespace flowrun::tokenizers
