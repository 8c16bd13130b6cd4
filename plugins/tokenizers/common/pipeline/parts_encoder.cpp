#include "parts_encoder.hpp"

namespace flowrun::tokenizers {
namespace {

// What is white space to every pre-tokenizer that `serves` names, and to BertNormalizer with or without `clean_text`. (A vertical tab is a control character
// to the latter, which takes it out.)
constexpr bool divides(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::string_view type_of(const Json& component) {
  const auto found = component.is_object() ? component.find("type") : component.end();
  return component.is_object() && found != component.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : std::string_view();
}

}  // namespace

bool PartsEncoder::serves(const Json& root) {
  const auto component = [&](const char* key) -> Json { return root.contains(key) ? root.at(key) : Json(); };
  // Other normalizers may look at more than a character: Lowercase at what stands before a sigma.
  if (const Json normalizer = component("normalizer"); !normalizer.is_null() && type_of(normalizer) != "BertNormalizer") return false;
  const Json pre_tokenizer = component("pre_tokenizer");
  const std::string_view type = type_of(pre_tokenizer);
  if (type != "BertPreTokenizer" && type != "Whitespace" && type != "WhitespaceSplit") return false;
  // An added token that is not special is looked for in the text, and may hold a space.
  for (const Json& token : component("added_tokens"))
    if (!token.value("special", false)) return false;
  return true;
}

void PartsEncoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    for (end = begin; end < text.size() && !divides(text[end]);) ++end;
    if (end > begin) encode_part(text, begin, end - begin, out);
  }
}

void PartsEncoder::encode_part(std::string_view text, std::size_t begin, std::size_t size, std::vector<std::uint32_t>& out) {
  if (size > Cache::Key::kBytesMax) return encode_as_data(tokenizer_, text.substr(begin, size), out);
  const auto key = Cache::Key::of(text, begin, size);
  Cache::Entry* const set = cache_.set_of(key);
  if (const auto* const entry = Cache::look_up(key, set)) {
    out.insert(out.end(), entry->ids, entry->ids + entry->size());
    return;
  }
  const std::size_t before = out.size();
  encode_as_data(tokenizer_, text.substr(begin, size), out);
  if (out.size() > before) Cache::remember(key, set, out.data() + before, out.size() - before);  // none: control characters alone
}

void encode_as_data(const Tokenizer& tokenizer, std::string_view text, std::vector<std::uint32_t>& out) {
  const Encoding encoding = tokenizer.encode(text, {.add_special_tokens = false, .split_special = true, .limit = false, .offsets = false});
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
}

}  // namespace flowrun::tokenizers
