#include "fallback_bytes.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

std::string replaced(std::string_view text, std::string_view from, char to) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool found = text.substr(at).starts_with(from);
    result.push_back(found ? to : text[at]);
    at += found ? from.size() : 1;
  }
  return result;
}

bool is_character(std::string_view text) { return !text.empty() && utf8_bytes(text, 0) == text.size(); }

// A token with a space in it is none of a text in which all of them have become something else.
bool occurs(std::string_view token) { return token.find(' ') == std::string_view::npos; }

class Maker {
 public:
  Maker(const GeneralBpe& bpe, std::string_view space) : bpe_(bpe), space_(space) {}

  std::optional<FallbackBytes> make() {
    const auto fallback = bpe_.fallback_ids();
    if (!fallback || !bpe_.token_to_id(space_) || !add_characters()) return std::nullopt;
    const auto merges = bpe_.effective_merges();
    if (!merges) return std::nullopt;
    add_bytes(*fallback);
    join_characters(*fallback);
    add_merges(*merges);
    return std::move(made_);
  }

 private:
  using ByteIds = std::array<std::uint32_t, 256>;

  /// Returns false where the ids are not all those below the number of tokens.
  bool add_characters() {
    auto& tokens = made_.model.tokens;
    tokens.resize(bpe_.vocab_size());
    std::vector<bool> taken(tokens.size());
    bool dense = true;
    bpe_.for_each_token([&](std::string_view token, std::uint32_t id) {
      dense = dense && id < tokens.size() && !taken[id];
      if (!dense) return;
      taken[id] = true;
      if (is_character(token) && occurs(token)) tokens[id] = replaced(token, space_, ' ');
    });
    return dense;
  }

  void add_bytes(const ByteIds& fallback) {
    auto& tokens = made_.model.tokens;
    std::array<bool, 256> is_character{};
    for (const std::string& token : tokens)
      if (token.size() == 1) is_character[static_cast<unsigned char>(token[0])] = true;
    for (std::size_t byte = 0; byte < 256; ++byte)
      if (!is_character[byte]) tokens[fallback[byte]] = std::string(1, static_cast<char>(byte));
  }

  void join_characters(const ByteIds& fallback) {
    auto& tokens = made_.model.tokens;
    const auto vocab_size = static_cast<std::uint32_t>(tokens.size());
    made_.spelt = bpe::SpeltIds(vocab_size);
    std::unordered_map<std::string, std::uint32_t> ids;  // of bytes, characters and their beginnings
    for (std::uint32_t id = 0; id < vocab_size; ++id)
      if (!tokens[id].empty()) ids.emplace(tokens[id], id);
    for (std::uint32_t id = 0; id < vocab_size; ++id) {
      const std::string character = tokens[id];  // by value: `tokens` grows
      for (std::size_t size = 2; size <= character.size(); ++size) {
        const std::string beginning = character.substr(0, size);
        const bool fresh = ids.emplace(beginning, static_cast<std::uint32_t>(tokens.size())).second;
        if (fresh) add_beginning(beginning, fallback);
        if (fresh || size == character.size()) made_.model.merges.push_back({ids.at(beginning.substr(0, size - 1)), ids.at(beginning.substr(size - 1)), ids.at(beginning)});
      }
    }
  }

  void add_beginning(const std::string& bytes, const ByteIds& fallback) {
    made_.model.tokens.push_back(bytes);
    std::vector<std::uint32_t> spelling;
    for (const char byte : bytes) spelling.push_back(fallback[static_cast<unsigned char>(byte)]);
    made_.spelt.add(std::move(spelling));
  }

  void add_merges(const std::vector<bpe::BpeMerge>& merges) {
    for (const bpe::BpeMerge& merge : merges) {
      const std::string_view token = *bpe_.id_to_token(merge.result);
      if (!occurs(token)) continue;
      made_.model.tokens[merge.result] = replaced(token, space_, ' ');
      made_.model.merges.push_back(merge);
    }
  }

  const GeneralBpe& bpe_;
  std::string_view space_;
  FallbackBytes made_;
};

}  // namespace

std::optional<FallbackBytes> find_fallback_bytes(const GeneralBpe& bpe, std::string_view space) { return Maker(bpe, space).make(); }

}  // namespace flowrun::tokenizers
