#include "bpe_encoder.hpp"

#include <cstring>
#include <utility>

namespace flowrun::bpe {
namespace {

// 65,536 entries of 64 bytes: new English text finds 98 of 100 pre-tokens there.
constexpr unsigned kSetBits = 15;
constexpr unsigned kCountShift = 61;  // in the last word of a key
constexpr std::uint64_t kCountMask = std::uint64_t{7} << kCountShift;

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
    : bpe_(std::move(bpe)), scanner_(scanner), whole_tokens_(std::move(whole_tokens)), cache_(std::size_t{2} << kSetBits) {}

void BpeEncoder::encode_pretoken(std::string_view pretoken, std::vector<std::uint32_t>& out) {
  if (whole_tokens_ != nullptr) {
    if (const auto id = whole_tokens_->find(pretoken)) {
      out.push_back(*id);
      return;
    }
  }
  bpe_->encode_pretoken(pretoken, scratch_, out);
}

// Finds the next pre-tokens from `begin` on; returns their number.
std::size_t BpeEncoder::gather(std::string_view text, std::size_t& begin, Pending* pending) noexcept {
  std::size_t n = 0;
  for (; n < kPendingMax && begin < text.size(); ++n) {
    const std::size_t end = scanner_(text, begin);
    Pending& pretoken = pending[n];
    pretoken.text = text.substr(begin, end - begin);
    pretoken.set = nullptr;
    if (pretoken.text.size() <= Key::kBytesMax) {
      pretoken.key = Key::of(text, begin, pretoken.text.size());
      pretoken.set = &cache_[(pretoken.key.hash() >> (64 - kSetBits)) * 2];
      __builtin_prefetch(pretoken.set);
    }
    begin = end;
  }
  return n;
}

const BpeEncoder::Entry* BpeEncoder::look_up(const Pending& pretoken) noexcept {
  const auto& want = pretoken.key.words;
  const auto holds = [&](const Entry& entry) {
    const auto& have = entry.key.words;
    return ((have[0] ^ want[0]) | (have[1] ^ want[1]) | (have[2] ^ want[2]) | ((have[3] ^ want[3]) & ~kCountMask)) == 0;
  };
  Entry* const set = pretoken.set;
  if (holds(set[0])) return set;
  if (!holds(set[1])) return nullptr;
  // The one used last goes first: then 29 of 30 are found at once, where half are if it stays.
  std::swap(set[0], set[1]);
  return set;
}

void BpeEncoder::remember(const Pending& pretoken, const std::uint32_t* ids, std::size_t count) noexcept {
  Entry* const set = pretoken.set;
  set[1] = set[0];
  set[0].key = pretoken.key;
  set[0].key.words[3] |= std::uint64_t{count - 1} << kCountShift;
  std::memcpy(set[0].ids, ids, count * sizeof *ids);
}

void BpeEncoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  Pending pending[kPendingMax];
  std::uint32_t buffer[kPendingMax * kCachedIdsMax];
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t n = gather(text, begin, pending);
    // Cached ids are copied eight at a time whatever their number, into a buffer that has room for it, and go to `out` together.
    std::size_t buffered = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const Pending& pretoken = pending[i];
      if (const Entry* const entry = pretoken.set != nullptr ? look_up(pretoken) : nullptr) {
        std::memcpy(buffer + buffered, entry->ids, sizeof entry->ids);
        buffered += (entry->key.words[3] >> kCountShift) + 1;
        continue;
      }
      out.insert(out.end(), buffer, buffer + buffered);
      buffered = 0;
      const std::size_t before = out.size();
      encode_pretoken(pretoken.text, out);
      const std::size_t count = out.size() - before;
      if (pretoken.set != nullptr && count <= kCachedIdsMax) remember(pretoken, out.data() + before, count);
    }
    out.insert(out.end(), buffer, buffer + buffered);
  }
}

}  // namespace flowrun::bpe
