#include "case_folding.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace flowrun::tokenizers {
namespace {

using Folded = std::array<std::uint32_t, 3>;

Folded folded(std::uint32_t code_point) {
  const auto* const end = kFoldings + kFoldingCount;
  const auto* const found = std::lower_bound(kFoldings, end, code_point, [](const Folding& f, std::uint32_t c) { return f.code_point < c; });
  if (found == end || found->code_point != code_point) return {code_point, 0, 0};
  return {found->folded[0], found->folded[1], found->folded[2]};
}

std::size_t length(const Folded& f) { return f[1] == 0 ? 1 : f[2] == 0 ? 2 : 3; }

// The code points that fold to each sequence, without those that fold to themselves.
const std::map<Folded, std::vector<std::uint32_t>>& unfoldings() {
  static const auto map = [] {
    std::map<Folded, std::vector<std::uint32_t>> result;
    for (const Folding& f : kFoldings) result[{f.folded[0], f.folded[1], f.folded[2]}].push_back(f.code_point);
    return result;
  }();
  return map;
}

// Returns the single characters that fold to `f`.
CharSet characters_of(const Folded& f) {
  std::vector<CodePointRange> ranges;
  if (f[1] == 0) ranges.push_back({f[0], f[0]});
  if (const auto found = unfoldings().find(f); found != unfoldings().end())
    for (const std::uint32_t c : found->second) ranges.push_back({c, c});
  return CharSet::of(std::move(ranges));
}

SyntaxTree sequence_of(const Folded& f) {
  auto node = make_node(SyntaxNode::Kind::kConcatenation);
  for (std::size_t i = 0; i < length(f); ++i) node->children.push_back(make_set(characters_of({f[i], 0, 0})));
  return node;
}

// What matches a sequence of several characters: itself, or one character that folds to it.
SyntaxTree either_of(const Folded& f) {
  auto node = make_node(SyntaxNode::Kind::kAlternation);
  node->children.push_back(make_set(characters_of(f)));
  node->children.push_back(sequence_of(f));
  return node;
}

// Returns the longest folding of several characters that the literal has at `at`, and how many of its code points that takes; 0 if none.
std::size_t find_sequence(const std::vector<std::uint32_t>& literal, std::size_t at, Folded& found) {
  for (std::size_t size = 3; size >= 2; --size) {
    Folded f{};
    if (at + size > literal.size()) continue;
    bool each_is_one = true;
    for (std::size_t i = 0; i < size; ++i) {
      const Folded one = folded(literal[at + i]);
      each_is_one = each_is_one && length(one) == 1;
      f[i] = one[0];
    }
    if (each_is_one && unfoldings().count(f) != 0) {
      found = f;
      return size;
    }
  }
  found = folded(literal[at]);
  return length(found) > 1 ? 1 : 0;
}

}  // namespace

SyntaxTree fold_literal(const std::vector<std::uint32_t>& literal, bool one_to_one) {
  auto node = make_node(SyntaxNode::Kind::kConcatenation);
  for (std::size_t i = 0; i < literal.size();) {
    Folded sequence;
    const std::size_t taken = one_to_one ? 0 : find_sequence(literal, i, sequence);
    node->children.push_back(taken != 0 ? either_of(sequence) : make_set(characters_of(folded(literal[i]))));
    i += std::max<std::size_t>(taken, 1);
  }
  return node;
}

SyntaxTree fold_class(const CharSet& set, bool negated) {
  std::vector<CodePointRange> ranges = set.ranges();
  std::vector<Folded> sequences;
  for (const auto& [f, members] : unfoldings()) {
    const bool any = std::any_of(members.begin(), members.end(), [&](std::uint32_t c) { return set.contains(c); });
    if (!any && !(f[1] == 0 && set.contains(f[0]))) continue;
    const CharSet all = characters_of(f);
    ranges.insert(ranges.end(), all.ranges().begin(), all.ranges().end());
    if (length(f) > 1) sequences.push_back(f);
  }
  CharSet closed = CharSet::of(std::move(ranges));
  if (negated) return make_set(closed.complement());
  auto node = make_node(SyntaxNode::Kind::kAlternation);
  node->children.push_back(make_set(std::move(closed)));
  for (const Folded& f : sequences) node->children.push_back(sequence_of(f));
  return node;
}

}  // namespace flowrun::tokenizers
