#include "word_level.hpp"

#include <utility>

#include "limits.hpp"

namespace flowrun::tokenizers {

WordLevel::WordLevel(const std::vector<VocabularyEntry>& vocabulary, std::string unk_token)
    : vocabulary_(vocabulary), unk_token_(std::move(unk_token)), unk_id_(vocabulary_.id(unk_token_)) {}

void WordLevel::tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch&) const {
  check_pretoken_size(pretoken);
  std::optional<std::uint32_t> id = vocabulary_.id(pretoken);
  if (!id) id = unk_id_;
  if (!id) throw_missing_unk(unk_token_);
  out.push_back({*id, 0, static_cast<std::uint32_t>(pretoken.size())});
}

}  // namespace flowrun::tokenizers
