#pragma once

// What the parser of patterns gives and the compiler takes.

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "char_set.hpp"

namespace flowrun::tokenizers {

enum class Anchor : std::uint8_t { kLineBegin, kLineEnd, kTextBegin, kTextEnd, kTextEndOrLastNewline, kWordBoundary, kNoWordBoundary };

struct SyntaxNode;
using SyntaxTree = std::unique_ptr<SyntaxNode>;

struct SyntaxNode {
  enum class Kind : std::uint8_t { kSet, kConcatenation, kAlternation, kRepeat, kAtomic, kLookAhead, kLookBehind, kAnchor };
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

  Kind kind;
  CharSet set;                       // of kSet
  std::vector<SyntaxTree> children;  // one of kRepeat, kAtomic and the look-arounds; an empty kConcatenation matches nothing at all
  std::uint32_t min = 0, max = 0;    // of kRepeat
  bool greedy = true;                // of kRepeat
  bool negated = false;              // of the look-arounds
  Anchor anchor{};                   // of kAnchor
};

inline SyntaxTree make_node(SyntaxNode::Kind kind) {
  auto node = std::make_unique<SyntaxNode>();
  node->kind = kind;
  return node;
}

inline SyntaxTree make_parent(SyntaxNode::Kind kind, SyntaxTree child) {
  auto node = make_node(kind);
  node->children.push_back(std::move(child));
  return node;
}

inline SyntaxTree make_set(CharSet set) {
  auto node = make_node(SyntaxNode::Kind::kSet);
  node->set = std::move(set);
  return node;
}

/// States whether `node` can match without taking anything.
bool can_be_empty(const SyntaxNode& node);

/// Parses a pattern in Oniguruma's own syntax.
///
/// Throws `Error`: `kUnsupported` for what Oniguruma has and this engine has not, `kInvalidArgument` for what is no pattern to either; the message
/// names the construct and its byte offset in the pattern.
SyntaxTree parse_pattern(std::string_view expression);

}  // namespace flowrun::tokenizers
