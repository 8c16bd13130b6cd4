#include "bpe_encoder.hpp"

#include <utility>

namespace flowrun::bpe {
WholeTokens::WholeTokens(const BpeModel& model) {
  std::vector<bool> special(model.tokens.size());
  for (const SpecialToken& token : model.specials) special[token.id] = true;
  for (std::size_t id = 0; id < model.tokens.size(); ++id)
    if (!special[id] && !model.tokens[id].empty()) ids_.emplace(model.tokens[id], static_cast<std::uint32_t>(id));
}

std::optional<std::uint32_t> WholeTokens::find(std::string_view bytes) const {
  const auto found = ids_.find(bytes);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

BpeEncoder::BpeEncoder(std::shared_ptr<const Bpe> bpe, tokenizers::BatchScanner scanner, std::shared_ptr<const WholeTokens> whole_tokens)
    : bpe_(std::move(bpe)), scanner_(scanner), whole_tokens_(std::move(whole_tokens)), plain_(whole_tokens_ == nullptr) {}

BpeEncoder::BpeEncoder(std::shared_ptr<const Bpe> bpe, std::shared_ptr<const SpeltIds> spelt_ids) : BpeEncoder(std::move(bpe)) {
  spelt_ids_ = std::move(spelt_ids);
  plain_ = spelt_ids_ == nullptr;
}

void BpeEncoder::encode_pretoken(std::string_view pretoken, std::vector<std::uint32_t>& out) {
  if (!plain_) return encode_other(pretoken, out);
  bpe_->encode_pretoken(pretoken, scratch_, out);
}

void BpeEncoder::encode_other(std::string_view pretoken, std::vector<std::uint32_t>& out) {
  if (whole_tokens_ != nullptr) {
    if (const auto id = whole_tokens_->find(pretoken)) {
      out.push_back(*id);
      return;
    }
  }
  const std::size_t before = out.size();
  bpe_->encode_pretoken(pretoken, scratch_, out);
  if (spelt_ids_ != nullptr) spelt_ids_->spell_out(out, before);
}

void BpeEncoder::encode_long(std::string_view pretoken, std::vector<std::uint32_t>& out) {
  if (pretoken.size() > LongCache::Key::kBytesMax) return encode_pretoken(pretoken, out);
  const auto key = LongCache::Key::of(pretoken, 0, pretoken.size());
  LongCache::Entry* const set = long_cache_.set_of(key);
  if (const auto* const entry = LongCache::look_up(key, set)) {
    out.insert(out.end(), entry->ids, entry->ids + entry->size());
    return;
  }
  const std::size_t before = out.size();
  encode_pretoken(pretoken, out);
  LongCache::remember(key, set, out.data() + before, out.size() - before);
}

void BpeEncoder::find_places(std::string_view text, std::size_t begin, const std::size_t* ends, std::size_t count, Place* places) noexcept {
  for (std::size_t i = 0; i < count; begin = ends[i++]) {
    const std::size_t size = ends[i] - begin;
    places[i].set = nullptr;
    if (size > ShortCache::Key::kBytesMax) continue;
    places[i].key = ShortCache::Key::of(text, begin, size);
    places[i].set = short_cache_.set_of(places[i].key);
    __builtin_prefetch(places[i].set);
  }
}

// Encodes a pre-token that the short cache does not have. Returns its new entry there, or null where the ids are in `missing_` alone.
const BpeEncoder::ShortCache::Entry* BpeEncoder::encode_missing(const Place& place, std::string_view pretoken) {
  missing_.clear();
  if (place.set == nullptr) {
    encode_long(pretoken, missing_);
    return nullptr;
  }
  encode_pretoken(pretoken, missing_);
  return ShortCache::remember(place.key, place.set, missing_.data(), missing_.size());
}

void BpeEncoder::encode(std::string_view text, std::vector<std::uint32_t>& out) { encode_cut_by(scanner_, text, out); }

}  // namespace flowrun::bpe
