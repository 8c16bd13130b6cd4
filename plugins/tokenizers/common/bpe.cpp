#include "bpe.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include <flowrun/error.hpp>

namespace flowrun::bpe {
namespace {

constexpr std::uint32_t kAbsent = PairMap::kAbsent;

// A trie of this many bytes of tokens is built in a second or so and takes 128 MiB; tokens of published vocabularies have a million.
constexpr std::size_t kTokenBytesMax = 1 << 24;

std::uint32_t byte_at(std::string_view text, std::size_t i) noexcept { return static_cast<unsigned char>(text[i]); }

void check_size(std::string_view pretoken) {
  if (pretoken.size() >= kAbsent)  // positions have 32 bits
    throw Error(Code::kUnsupported, "a pre-token has " + std::to_string(pretoken.size()) + " bytes, expected below 4 GiB");
}

}  // namespace

Bpe::Bpe(const BpeModel& model) : tokens_(model.tokens), merges_(model.merges), ranks_(model.merges.size()) {
  std::fill(std::begin(byte_ids_), std::end(byte_ids_), kAbsent);
  std::vector<bool> special(tokens_.size(), false);
  for (const SpecialToken& token : model.specials)
    if (token.id < special.size()) special[token.id] = true;
  for (std::uint32_t id = 0; id < tokens_.size(); ++id)
    if (tokens_[id].size() == 1 && !special[id]) byte_ids_[byte_at(tokens_[id], 0)] = id;
  for (std::size_t byte = 0; byte < 256; ++byte)
    if (byte_ids_[byte] == kAbsent) throw Error(Code::kInvalidArgument, "byte " + std::to_string(byte) + " is not in the vocabulary");
  for (std::uint32_t rank = 0; rank < merges_.size(); ++rank) {
    const BpeMerge& merge = merges_[rank];
    if (std::max({merge.left, merge.right, merge.result}) >= tokens_.size())
      throw Error(Code::kInvalidArgument,
                  "merge " + std::to_string(rank) + " names an id beyond the vocabulary of " + std::to_string(tokens_.size()));
    ranks_.insert(pair_key(merge.left, merge.right), rank);
  }
  build_search();
}

// Numbers the tokens by age and builds the trie; leaves `regular_` false where the search would not be exact.
void Bpe::build_search() {
  std::vector<std::uint32_t> age_of(tokens_.size(), kAbsent);
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    parts_.push_back({byte, byte});
    aged_.push_back({byte_ids_[byte], 1, kAbsent});
    age_of[byte_ids_[byte]] = byte;
  }
  if (merges_.size() + 256 > JoinedPairs::kAgesMax) return;
  joined_ = JoinedPairs(merges_.size());
  std::size_t token_bytes = 0;
  for (const BpeMerge& merge : merges_) {
    const auto age = static_cast<std::uint32_t>(aged_.size());
    const std::uint32_t left = age_of[merge.left], right = age_of[merge.right];
    if (left == kAbsent || right == kAbsent || age_of[merge.result] != kAbsent) return;
    age_of[merge.result] = age;
    parts_.push_back({left, right});
    aged_.push_back({merge.result, aged_[left].bytes + aged_[right].bytes, kAbsent});
    if (aged_[age].bytes != tokens_[merge.result].size() || !joined_.insert(left, right, age)) return;
    token_bytes += aged_[age].bytes;
    if (token_bytes >= kTokenBytesMax) return;
  }
  Scratch scratch;
  for (std::uint32_t age = 256; age < aged_.size(); ++age)
    if (!encodes_to_itself(age, scratch)) return;
  build_trie();
  regular_ = true;
}

// No two tokens have the same bytes, as each encodes to itself.
void Bpe::build_trie() {
  std::vector<tokenizers::DoubleArray::Key> keys;
  for (std::uint32_t age = 0; age < aged_.size(); ++age) keys.emplace_back(tokens_[aged_[age].id], age);
  std::sort(keys.begin(), keys.end());
  trie_.emplace(keys);
  for (const auto& [token, age] : keys)
    if (token.size() > 1) aged_[age].shorter_prefix = longest_token(token.substr(0, token.size() - 1), 0).age;
}

bool Bpe::encodes_to_itself(std::uint32_t age, Scratch& scratch) const {
  std::vector<std::uint32_t> ids;
  encode_by_heap(tokens_[aged_[age].id], scratch, ids);
  return ids.size() == 1 && ids[0] == aged_[age].id;
}

void Bpe::encode_pretoken(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const {
  if (regular_) encode_by_search(pretoken, scratch, out);
  else encode_by_heap(pretoken, scratch, out);
}

void Bpe::encode_by_heap(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const {
  check_size(pretoken);
  const auto n = static_cast<std::uint32_t>(pretoken.size());
  // A token is known by the position of its first byte; a position that was merged away has no id.
  auto &ids = scratch.ids, &next = scratch.next, &previous = scratch.previous;
  auto& heap = scratch.heap;
  ids.resize(n), next.resize(n), previous.resize(n), heap.clear();
  for (std::uint32_t i = 0; i < n; ++i) {
    ids[i] = byte_ids_[byte_at(pretoken, i)];
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  // Rank and position in one integer, so that comparing it finds the lowest rank, then the leftmost.
  const auto entry = [&](std::uint32_t left, std::uint32_t right) -> std::uint64_t {
    const std::uint32_t rank = ranks_.find(pair_key(ids[left], ids[right]));
    return rank == kAbsent ? ~std::uint64_t{0} : std::uint64_t{rank} << 32 | left;
  };
  for (std::uint32_t i = 0; i + 1 < n; ++i)
    if (const std::uint64_t e = entry(i, i + 1); e != ~std::uint64_t{0}) heap.push_back(e);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto push = [&](std::uint32_t left, std::uint32_t right) {
    if (const std::uint64_t e = entry(left, right); e != ~std::uint64_t{0}) {
      heap.push_back(e);
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
  };
  while (!heap.empty()) {
    const std::uint64_t top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto left = static_cast<std::uint32_t>(top);
    if (ids[left] == kAbsent || next[left] == n) continue;
    const std::uint32_t right = next[left];
    if (entry(left, right) != top) continue;  // one of the two has grown since
    ids[left] = merges_[top >> 32].result;
    ids[right] = kAbsent;
    next[left] = next[right];
    if (next[left] != n) {
      previous[next[left]] = left;
      push(left, next[left]);
    }
    if (left != 0) push(previous[left], left);
  }
  for (std::uint32_t i = 0; i < n; i = next[i]) out.push_back(ids[i]);
}

Bpe::Found Bpe::longest_token(std::string_view text, std::size_t begin) const noexcept {
  Found found{};
  trie_->for_each_prefix(text, begin, [&](std::size_t end, std::uint32_t age) { found = {age, end}; });
  return found;
}

// Undoes the merges of both tokens, youngest first, and asks at each step whether the tokens on either side of the border would have been
// joined before the merge that is being undone. The left token's merge goes first where both are of one age, hence the 1.
bool Bpe::may_stand_together(std::uint32_t left, std::uint32_t right) const noexcept {
  std::uint32_t limit = kAbsent;
  for (;;) {
    if (joined_.find(left, right) < limit) return false;  // kAbsent is never below
    if (left > right && left >= 256) {
      limit = left;
      left = parts_[left].right;
    } else if (right >= 256) {
      limit = right + 1;
      right = parts_[right].left;
    } else {
      return true;
    }
  }
}

void Bpe::encode_by_search(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const {
  check_size(pretoken);
  const std::size_t n = pretoken.size();
  Found next = longest_token(pretoken, 0);
  auto& [token, end] = next;  // what may come behind `begin`
  if (end == n) {
    out.push_back(aged_[token].id);
    return;
  }
  // What stands before a border is the encoding of the text before it, which is unique; so a border from which the search failed once need
  // not be tried again, whatever led to it.
  std::uint64_t few = 0;  // of most pre-tokens: nothing to clear in memory
  std::uint64_t* unreachable = &few;
  if (n >= 64) {
    scratch.unreachable.assign(n / 64 + 1, 0);
    unreachable = scratch.unreachable.data();
  }
  auto& found = scratch.ids;
  found.clear();
  std::size_t begin = 0;
  while (begin < n) {
    const bool open = (unreachable[end / 64] >> (end % 64) & 1) == 0;
    if (open && (found.empty() || may_stand_together(found.back(), token))) {
      found.push_back(token);
      begin = end;
      if (begin < n) next = longest_token(pretoken, begin);
    } else if (aged_[token].shorter_prefix != kAbsent) {
      token = aged_[token].shorter_prefix;
      end = begin + aged_[token].bytes;
    } else {
      if (found.empty()) throw Error(Code::kInternal, "no BPE encoding of a pre-token of " + std::to_string(n) + " bytes");
      unreachable[begin / 64] |= std::uint64_t{1} << (begin % 64);
      token = found.back();
      found.pop_back();
      end = begin;
      begin -= aged_[token].bytes;
    }
  }
  for (const std::uint32_t age : found) out.push_back(aged_[age].id);
}

std::string Bpe::decode(std::span<const std::uint32_t> ids) const {
  std::string bytes;
  for (const std::uint32_t id : ids) {
    if (id >= tokens_.size())
      throw Error(Code::kInvalidArgument, "token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(tokens_.size()));
    bytes += tokens_[id];
  }
  return bytes;
}

}  // namespace flowrun::bpe
