#include "added_tokens.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

/// Returns where the last character of `text` begins; 0 for an empty one.
std::size_t last_character(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {}
  return at;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = last_character(text);
  return is_word(next_code_point(text, at));
}

bool starts_with_word(std::string_view text) {
  std::size_t at = 0;
  return !text.empty() && is_word(next_code_point(text, at));
}

/// Returns where the white space at the end of `text` begins.
std::size_t trailing_space(std::string_view text) {
  while (!text.empty()) {
    const std::size_t begin = last_character(text);
    std::size_t at = begin;
    if (!is_white_space(next_code_point(text, at))) break;
    text = text.substr(0, begin);
  }
  return text.size();
}

std::size_t leading_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size(); end = at)
    if (!is_white_space(next_code_point(text, at))) break;
  return end;
}

}  // namespace

void AddedTokens::Trie::add(std::string_view content, std::uint32_t id) {
  std::uint32_t node = 0;
  begins_[static_cast<unsigned char>(content[0])] = true;
  for (const char byte : content) {
    const auto [edge, fresh] = edges_.emplace(std::uint64_t{node} << 8 | static_cast<unsigned char>(byte), static_cast<std::uint32_t>(ids_.size()));
    if (fresh) ids_.push_back(-1);
    node = edge->second;
  }
  ids_[node] = id;
}

std::optional<std::pair<std::size_t, std::uint32_t>> AddedTokens::Trie::longest(std::string_view text, std::size_t begin) const {
  if (!begins_[static_cast<unsigned char>(text[begin])]) return std::nullopt;
  std::optional<std::pair<std::size_t, std::uint32_t>> found;
  std::uint32_t node = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const auto edge = edges_.find(std::uint64_t{node} << 8 | static_cast<unsigned char>(text[at]));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (ids_[node] >= 0) found = {at + 1, static_cast<std::uint32_t>(ids_[node])};
  }
  return found;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer) {
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    ids_.insert_or_assign(token.content, token.id);
    if (token.special) specials_.insert(token.content);
    if (token.normalized && normalizer != nullptr) {
      NormalizedString text(token.content);
      normalizer->apply(text);
      if (text.text() != token.content) normalized_[token.id] = text.text();
    }
    tokens_.insert_or_assign(token.id, std::move(token));
  }
  for (const auto& [id, token] : tokens_) {
    const auto changed = normalized_.find(id);
    const std::string& content = token.normalized && changed != normalized_.end() ? changed->second : token.content;
    if (!content.empty()) (token.normalized ? normalized_trie_ : as_is_).add(content, id);
  }
}

std::vector<Piece> AddedTokens::cut(const NormalizedString& text, const Trie& trie, bool split_special) const {
  const std::string_view all = text.text();
  std::vector<Piece> pieces;
  constexpr std::size_t kOverlapFree = 1 << 16, kOverlapTimes = 128;
  std::size_t last = 0;
  std::size_t spaces_begin = 0, spaces_end = 0;  // the run of white space that was read last: runs of tokens that are white space are read once
  // As in the library a token that begins in the white space of the one before has that white space too, so a run of n such tokens gives n * n / 2 bytes.
  std::size_t room = kOverlapFree + kOverlapTimes * all.size();
  const auto give = [&](std::size_t begin, std::size_t end, std::optional<std::uint32_t> id) {
    if (begin >= end) return;
    if (end - begin > room)
      throw Error(Code::kUnsupported, "added tokens that take white space with them overlap too often in a text of " + std::to_string(all.size()) + " bytes");
    room -= end - begin;
    pieces.push_back({text.slice({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}), id});
  };
  for (std::size_t at = 0; !trie.empty() && at < all.size();) {
    const auto found = trie.longest(all, at);
    if (!found) {
      ++at;
      continue;
    }
    auto [end, id] = *found;
    std::size_t begin = std::exchange(at, end);
    const AddedToken& token = tokens_.at(id);
    if (split_special && is_special(token.content)) continue;
    if (token.single_word && (ends_with_word(all.substr(0, begin)) || starts_with_word(all.substr(end)))) continue;
    if (token.lstrip) begin = begin > last ? last + trailing_space(all.substr(last, begin - last)) : last;
    if (token.rstrip) {
      if (end < spaces_begin || end > spaces_end) {
        spaces_begin = end;
        spaces_end = end + leading_space(all.substr(end));
      }
      end = spaces_end;
    }
    // What an earlier token has taken with its white space is not looked at again by the library either, though it may begin inside it.
    if (begin > last) give(last, begin, std::nullopt);
    give(begin, end, id);
    last = end;
  }
  give(last, all.size(), std::nullopt);
  return pieces;
}

Pieces AddedTokens::extract(std::string_view text, const Normalizer* normalizer, bool split_special) const {
  Pieces pieces;
  for (Piece& piece : cut(NormalizedString(text), as_is_, split_special)) {
    if (piece.added_id) {
      pieces.push_back(std::move(piece));
      continue;
    }
    if (normalizer != nullptr) normalizer->apply(piece.text);
    for (Piece& part : cut(piece.text, normalized_trie_, split_special)) pieces.push_back(std::move(part));
  }
  return pieces;
}

bool AddedTokens::occur_in(std::string_view text) const {
  if (as_is_.empty() && normalized_trie_.empty()) return false;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (as_is_.longest(text, at) || normalized_trie_.longest(text, at)) return true;
  return false;
}

std::optional<std::uint32_t> AddedTokens::token_to_id(std::string_view content) const {
  const auto found = ids_.find(content);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string_view> AddedTokens::id_to_token(std::uint32_t id) const {
  if (const auto found = normalized_.find(id); found != normalized_.end()) return found->second;
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? std::nullopt : std::optional<std::string_view>(found->second.content);
}

bool AddedTokens::is_special(std::string_view content) const { return specials_.contains(content); }

}  // namespace flowrun::tokenizers
