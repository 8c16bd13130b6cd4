#include "word_piece.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "limits.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kAbsent = bpe::PairMap::kAbsent;

constexpr std::uint32_t kBegin = 0;     // the root of the tokens that may begin a word
constexpr std::uint32_t kContinue = 1;  // the root of those that may continue one, without the prefix

// A node's number and a byte share 32 bits, so that an edge takes eight bytes; the largest of them stands for a free slot of the map.
constexpr std::size_t kNodesMax = (1 << 24) - 1;

std::uint32_t edge(std::uint32_t node, char byte) noexcept { return node << 8 | static_cast<unsigned char>(byte); }

bool has_more_chars(std::string_view text, std::size_t max) noexcept {
  if (text.size() <= max) return false;
  const auto chars = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return static_cast<std::size_t>(chars) > max;
}

}  // namespace

// What only the construction needs to know of the nodes.
struct WordPiece::Builder {
  struct Place {
    std::uint32_t parent;
    std::uint32_t depth;
    std::uint32_t id;  // of the token that ends here, kAbsent if none
    char byte;
  };

  explicit Builder(WordPiece& model) : model_(model) {
    places_ = {{kAbsent, 0, kAbsent, 0}, {kAbsent, 0, kAbsent, 0}};
    const std::string& prefix = model.options_.continuing_subword_prefix;
    model.vocabulary_.for_each([&](std::string_view token, std::uint32_t id) {
      add(kBegin, token, id);
      if (token.starts_with(prefix)) add(kContinue, token.substr(prefix.size()), id);
    });
  }

  void add(std::uint32_t node, std::string_view token, std::uint32_t id) {
    for (const char byte : token) {
      const auto fresh = static_cast<std::uint32_t>(places_.size());
      const std::uint32_t child = model_.edges_.insert(edge(node, byte), fresh);
      if (child == fresh) {
        if (places_.size() >= kNodesMax) throw Error(Code::kUnsupported, "the tokens of the vocabulary have more than 2^24 bytes that they do not share");
        places_.push_back({node, places_[node].depth + 1, kAbsent, byte});
      }
      node = child;
    }
    if (node != kBegin && node != kContinue) places_[node].id = id;  // an empty token is never found
  }

  // A node fails to a shallower one, so going down level by level finds all that is needed ready.
  void link() {
    std::vector<std::uint32_t> order(places_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return places_[a].depth < places_[b].depth; });
    model_.nodes_.assign(places_.size(), {kAbsent, kAbsent});
    for (const std::uint32_t node : order)
      if (places_[node].parent != kAbsent) model_.nodes_[node] = link(places_[node]);
  }

  Node link(const Place& place) {
    if (place.id != kAbsent) {
      model_.pops_.push_back({place.id, place.depth, kAbsent});
      return {kContinue, static_cast<std::uint32_t>(model_.pops_.size() - 1)};
    }
    auto [fail, pops] = model_.nodes_[place.parent];
    const std::size_t unused = model_.pops_.size();
    while (fail != kAbsent && model_.child(fail, place.byte) == kAbsent) {
      pops = append(pops, model_.nodes_[fail].pops);
      fail = model_.nodes_[fail].fail;
    }
    if (fail != kAbsent) return {model_.child(fail, place.byte), pops};
    model_.pops_.resize(unused);
    return {kAbsent, kAbsent};
  }

  std::uint32_t append(std::uint32_t pops, std::uint32_t more) {
    const std::size_t first = reversed_.size();
    for (; more != kAbsent; more = model_.pops_[more].previous) reversed_.push_back(more);
    for (; reversed_.size() > first; reversed_.pop_back()) {
      const Pop& pop = model_.pops_[reversed_.back()];
      model_.pops_.push_back({pop.id, pop.bytes, pops});
      pops = static_cast<std::uint32_t>(model_.pops_.size() - 1);
    }
    return pops;
  }

  WordPiece& model_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> reversed_;
};

WordPiece::WordPiece(const std::vector<VocabularyEntry>& vocabulary, Options options)
    : vocabulary_(vocabulary), options_(std::move(options)), unk_id_(vocabulary_.id(options_.unk_token)) {
  Builder(*this).link();
}

std::uint32_t WordPiece::child(std::uint32_t node, char byte) const noexcept { return edges_.find(edge(node, byte)); }

void WordPiece::tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch&) const {
  check_pretoken_size(pretoken);
  const std::size_t before = out.size();
  if (!has_more_chars(pretoken, options_.max_input_chars_per_word) && match(pretoken, out)) return;
  out.resize(before);
  if (!unk_id_) throw_missing_unk(options_.unk_token);
  out.push_back({*unk_id_, 0, static_cast<std::uint32_t>(pretoken.size())});
}

bool WordPiece::match(std::string_view word, std::vector<Token>& out) const {
  if (word.empty()) return true;
  std::uint32_t node = kBegin, begin = 0;
  for (const char byte : word) {
    std::uint32_t next = child(node, byte);
    for (; next == kAbsent; next = child(node, byte)) {
      if (nodes_[node].fail == kAbsent) return false;
      pop(nodes_[node].pops, begin, out);
      node = nodes_[node].fail;
    }
    node = next;
  }
  while (node != kContinue) {
    if (nodes_[node].fail == kAbsent) return false;
    pop(nodes_[node].pops, begin, out);
    node = nodes_[node].fail;
  }
  return true;
}

// The list gives the last token first.
void WordPiece::pop(std::uint32_t pops, std::uint32_t& begin, std::vector<Token>& out) const {
  const std::size_t first = out.size();
  for (; pops != kAbsent; pops = pops_[pops].previous) out.push_back({pops_[pops].id, 0, pops_[pops].bytes});
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  for (std::size_t i = first; i < out.size(); ++i) {
    out[i].begin = begin;
    begin = out[i].end += begin;
  }
}

}  // namespace flowrun::tokenizers
