#include "bpe_encoder.hpp"

#include <cstring>
#include <iterator>
#include <utility>

namespace flowrun::bpe {
namespace {

// Pre-tokens that are found before the first of them is looked up, so that the cache's lines are on their way meanwhile.
constexpr std::size_t kPendingMax = 32;

}  // namespace

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

BpeEncoder::BpeEncoder(std::shared_ptr<const Bpe> bpe, Scanner scanner, std::shared_ptr<const WholeTokens> whole_tokens)
    : bpe_(std::move(bpe)), scanner_(scanner), whole_tokens_(std::move(whole_tokens)) {}

void BpeEncoder::encode_pretoken(std::string_view pretoken, std::vector<std::uint32_t>& out) {
  if (whole_tokens_ != nullptr) {
    if (const auto id = whole_tokens_->find(pretoken)) {
      out.push_back(*id);
      return;
    }
  }
  bpe_->encode_pretoken(pretoken, scratch_, out);
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

// Finds the next pre-tokens from `begin` on; returns their number.
std::size_t BpeEncoder::gather(std::string_view text, std::size_t& begin, Pending* pending) noexcept {
  std::size_t n = 0;
  for (; n < kPendingMax && begin < text.size(); ++n) {
    const std::size_t size = scanner_(text, begin) - begin;
    Pending& pretoken = pending[n];
    pretoken.text = {text.data() + begin, size};
    pretoken.set = nullptr;
    if (size <= ShortCache::Key::kBytesMax) {
      pretoken.key = ShortCache::Key::of(text, begin, size);
      pretoken.set = short_cache_.set_of(pretoken.key);
      __builtin_prefetch(pretoken.set);
    }
    begin += size;
  }
  return n;
}

void BpeEncoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  Pending pending[kPendingMax];
  std::uint32_t buffer[kPendingMax * std::size(ShortCache::Entry{}.ids)];
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t n = gather(text, begin, pending);
    // Cached ids are copied four at a time whatever their number, into a buffer that has room for it, and go to `out` together.
    std::size_t buffered = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto& [key, set, pretoken] = pending[i];
      if (const auto* const entry = set != nullptr ? ShortCache::look_up(key, set) : nullptr) {
        std::memcpy(buffer + buffered, entry->ids, sizeof entry->ids);
        buffered += entry->size();
        continue;
      }
      out.insert(out.end(), buffer, buffer + buffered);
      buffered = 0;
      if (set == nullptr) {
        encode_long(pretoken, out);
        continue;
      }
      const std::size_t before = out.size();
      encode_pretoken(pretoken, out);
      ShortCache::remember(key, set, out.data() + before, out.size() - before);
    }
    out.insert(out.end(), buffer, buffer + buffered);
  }
}

}  // namespace flowrun::bpe
