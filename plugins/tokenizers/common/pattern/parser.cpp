#include <algorithm>
#include <string>
#include <utility>

#include <flowrun/error.hpp>

#include "bracket_class.hpp"
#include "case_folding.hpp"
#include "pattern_reader.hpp"
#include "syntax_tree.hpp"

namespace flowrun::tokenizers {
namespace {

using Kind = SyntaxNode::Kind;

// One part of a branch: a literal character that waits to be joined with its neighbours, or a tree.
struct Part {
  SyntaxTree tree;  // null for a literal
  std::uint32_t literal = 0;
  bool ignore_case = false;
};

class Parser {
 public:
  explicit Parser(std::string_view expression) : in_(expression) {}

  SyntaxTree parse() {
    auto tree = alternation();
    if (!in_.at_end()) in_.invalid("an unmatched ')'", in_.offset());
    return tree;
  }

 private:
  struct Flags {
    bool ignore_case = false, dot_all = false, extended = false;
  };

  // Deeper patterns would be deep recursions, here and in the compiler.
  static constexpr int kDepthMax = 100;
  static constexpr std::uint32_t kRepeatMax = 100000;
  static constexpr int kQuantifiersMax = 8;  // of one another, which nest as groups do

  // Reads up to a ')' or the end. The flags that `(?i)` sets hold up to there.
  SyntaxTree alternation() {
    if (++depth_ > kDepthMax) in_.unsupported("groups nested more than " + std::to_string(kDepthMax) + " deep", in_.offset());
    const Flags outside = flags_;
    auto first = branch();
    if (!in_.looking_at("|")) {
      flags_ = outside;
      --depth_;
      return first;
    }
    auto node = make_parent(Kind::kAlternation, std::move(first));
    while (in_.accept("|")) node->children.push_back(branch());
    flags_ = outside;
    --depth_;
    return node;
  }

  SyntaxTree branch() {
    std::vector<Part> parts;
    while (!in_.at_end() && !in_.looking_at("|") && !in_.looking_at(")")) {
      if (skipped_comment()) continue;
      const std::size_t offset = in_.offset();
      Part part = atom();
      // Quantifiers may follow one another: each repeats all before it.
      for (int count = 0;; ++count) {
        while (skipped_comment()) {}
        if (!quantifier(part, offset, count == 0)) break;
        if (count == kQuantifiersMax) in_.unsupported("more than " + std::to_string(kQuantifiersMax) + " quantifiers in a row", offset);
      }
      parts.push_back(std::move(part));
    }
    return join(std::move(parts));
  }

  bool skipped_comment() {
    if (in_.accept("(?#")) {
      const std::size_t offset = in_.offset();
      while (!in_.accept(")")) {
        if (in_.at_end()) in_.invalid("a comment without its ')'", offset);
        if (in_.next() == '\\' && !in_.at_end()) in_.next();
      }
      return true;
    }
    if (!flags_.extended) return false;
    if (in_.accept("#")) {
      while (!in_.at_end() && in_.next() != '\n') {}
      return true;
    }
    for (const char* const space : {" ", "\t", "\n", "\f", "\r"})
      if (in_.accept(space)) return true;
    return false;
  }

  // Neighbouring literals are one string to case folding: "ss" matches "ß".
  SyntaxTree join(std::vector<Part> parts) const {
    auto node = make_node(Kind::kConcatenation);
    for (std::size_t i = 0; i < parts.size();) {
      if (parts[i].tree != nullptr) {
        node->children.push_back(std::move(parts[i++].tree));
        continue;
      }
      const bool ignore_case = parts[i].ignore_case;
      std::vector<std::uint32_t> literal;
      for (; i < parts.size() && parts[i].tree == nullptr && parts[i].ignore_case == ignore_case; ++i) literal.push_back(parts[i].literal);
      node->children.push_back(literal_tree(literal, ignore_case));
    }
    return node->children.size() == 1 ? std::move(node->children.front()) : std::move(node);
  }

  SyntaxTree literal_tree(const std::vector<std::uint32_t>& literal, bool ignore_case) const {
    if (ignore_case) return fold_literal(literal, look_behind_ != Look::kNone);
    auto node = make_node(Kind::kConcatenation);
    for (const std::uint32_t c : literal) node->children.push_back(make_set(CharSet(c, c)));
    return node;
  }

  Part atom() {
    const std::size_t offset = in_.offset();
    const std::uint32_t c = in_.next();
    switch (c) {
      case '(': return {group(offset)};
      case '[': return {bracket(offset)};
      case '.': return {make_set(flags_.dot_all ? CharSet(0, kInvalidByte) : CharSet('\n', '\n').complement())};
      case '^': return {anchor(Anchor::kLineBegin)};
      case '$': return {anchor(Anchor::kLineEnd)};
      case '\\': return escape(offset);
      case '*': case '+': case '?': in_.invalid("a quantifier with nothing to repeat", offset);
      case '{': {
        std::uint32_t min, max;
        in_.back_to(offset);
        if (interval(min, max)) in_.invalid("a quantifier with nothing to repeat", offset);
        in_.next();
        return literal(c);
      }
      default: return literal(c);
    }
  }

  Part literal(std::uint32_t c) const { return {nullptr, c, flags_.ignore_case}; }

  static SyntaxTree anchor(Anchor which) {
    auto node = make_node(Kind::kAnchor);
    node->anchor = which;
    return node;
  }

  SyntaxTree bracket(std::size_t offset) {
    const BracketClass bracket = parse_bracket_class(in_, offset);
    if (flags_.ignore_case) return fold_class(bracket.set, bracket.negated);
    return make_set(bracket.negated ? bracket.set.complement() : bracket.set);
  }

  Part escape(std::size_t offset) {
    if (in_.at_end()) in_.invalid("a '\\' at the end", offset);
    switch (in_.peek()) {
      case 'A': in_.next(); return {anchor(Anchor::kTextBegin)};
      case 'z': case 'Z':
        if (look_behind_ != Look::kNone) in_.invalid("the end of the text in a look-behind", offset);
        return {anchor(in_.next() == 'z' ? Anchor::kTextEnd : Anchor::kTextEndOrLastNewline)};
      case 'b': in_.next(); return {anchor(Anchor::kWordBoundary)};
      case 'B': in_.next(); return {anchor(Anchor::kNoWordBoundary)};
      case 'w': in_.next(); return {make_set(word_set())};
      case 'W': in_.next(); return {make_set(word_set().complement())};
      case 'R': in_.next(); return {general_newline(offset)};
      case 'G': in_.unsupported("'\\G'", offset);
      case 'K': in_.unsupported("'\\K'", offset);
      case 'N': in_.unsupported("'\\N'", offset);  // Oniguruma 6.9 misses matches that begin with an anchor and one of these, repeated
      case 'O': in_.unsupported("'\\O'", offset);
      case 'X': in_.unsupported("'\\X'", offset);
      case 'y': in_.unsupported("'\\y'", offset);
      case 'Y': in_.unsupported("'\\Y'", offset);
      case 'k': in_.unsupported("a back-reference", offset);
      case 'g': in_.unsupported("a call of a group", offset);
      case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': in_.unsupported("a back-reference", offset);
      default: break;
    }
    if (auto set = escaped_class(in_, offset)) return {make_set(std::move(*set))};
    return literal(escaped_character(in_, offset, false));
  }

  // \R: a line break of one or two characters, never half of CR LF.
  SyntaxTree general_newline(std::size_t offset) const {
    if (look_behind_ != Look::kNone) in_.unsupported("'\\R' in a look-behind", offset);
    auto both = make_node(Kind::kConcatenation);
    both->children.push_back(make_set(CharSet('\r', '\r')));
    both->children.push_back(make_set(CharSet('\n', '\n')));
    auto either = make_parent(Kind::kAlternation, std::move(both));
    either->children.push_back(make_set(CharSet::of({{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}})));
    return make_parent(Kind::kAtomic, std::move(either));
  }

  SyntaxTree group(std::size_t offset) {
    if (in_.looking_at("*")) in_.unsupported("a callout", offset);
    if (!in_.accept("?")) {
      if (look_behind_ == Look::kNegative) in_.invalid("a capturing group in a negative look-behind", offset);
      return enclosed(close(alternation(), offset));
    }
    if (in_.accept(":")) return close(alternation(), offset);
    if (in_.accept("=")) return look_ahead(false, offset);
    if (in_.accept("!")) return look_ahead(true, offset);
    if (in_.accept("<=")) return look_behind(false, offset);
    if (in_.accept("<!")) return look_behind(true, offset);
    if (in_.accept(">")) {
      if (look_behind_ != Look::kNone) in_.unsupported("an atomic group in a look-behind", offset);
      return make_parent(Kind::kAtomic, close(alternation(), offset));
    }
    if (in_.accept("<")) return named_group(offset);
    if (in_.looking_at("'")) in_.unsupported("a name in quotes", offset);
    if (in_.looking_at("(")) in_.unsupported("a conditional", offset);
    if (in_.looking_at("~")) in_.unsupported("an absent operator", offset);
    if (in_.looking_at("{")) in_.unsupported("a callout", offset);
    return options(offset);
  }

  // Without back-references a name says nothing.
  SyntaxTree named_group(std::size_t offset) {
    if (look_behind_ == Look::kNegative) in_.invalid("a capturing group in a negative look-behind", offset);
    const auto in_name = [this](bool first) {
      const std::uint32_t c = in_.peek(), lower = c | 0x20;
      return c == '_' || (lower >= 'a' && lower <= 'z') || (!first && c >= '0' && c <= '9');
    };
    if (!in_name(true)) in_.unsupported("a group of this name", offset);
    while (in_name(false)) in_.next();
    if (!in_.accept(">")) in_.unsupported("a group of this name", offset);
    return enclosed(close(alternation(), offset));
  }

  // Such a group may be repeated even if it holds an anchor alone.
  static SyntaxTree enclosed(SyntaxTree tree) { return make_parent(Kind::kConcatenation, std::move(tree)); }

  static bool is_position(const SyntaxNode& node) {
    if (node.kind != Kind::kAlternation) return node.kind == Kind::kAnchor || node.kind == Kind::kLookAhead || node.kind == Kind::kLookBehind;
    return std::any_of(node.children.begin(), node.children.end(), [](const SyntaxTree& child) { return is_position(*child); });
  }

  SyntaxTree close(SyntaxTree tree, std::size_t offset) {
    if (!in_.accept(")")) in_.invalid("a '(' without its ')'", offset);
    return tree;
  }

  SyntaxTree look_ahead(bool negated, std::size_t offset) {
    if (look_behind_ != Look::kNone) in_.invalid("a look-ahead in a look-behind", offset);
    auto node = make_parent(Kind::kLookAhead, close(alternation(), offset));
    node->negated = negated;
    return node;
  }

  SyntaxTree look_behind(bool negated, std::size_t offset) {
    const Look outside = look_behind_;
    look_behind_ = negated || outside == Look::kNegative ? Look::kNegative : Look::kPositive;
    auto node = make_parent(Kind::kLookBehind, close(alternation(), offset));
    node->negated = negated;
    look_behind_ = outside;
    return node;
  }

  // (?i) and (?i:...). The first holds up to the end of the group that it stands in, over its '|' too: a(?i)b|c is a(?i:b|c).
  SyntaxTree options(std::size_t offset) {
    const Flags outside = flags_;
    Flags flags = flags_;
    for (bool on = true;;) {
      if (in_.at_end()) in_.invalid("a group without its ')'", offset);
      const std::uint32_t c = in_.next();
      if (c == ')' || c == ':') {
        flags_ = flags;
        auto tree = alternation();
        flags_ = outside;
        return c == ':' ? enclosed(close(std::move(tree), offset)) : std::move(tree);
      }
      switch (c) {
        case '-': on = false; break;
        case 'i': flags.ignore_case = on; break;
        case 'm': flags.dot_all = on; break;
        case 'x': flags.extended = on; break;
        default: in_.unsupported(c < 0x20 ? "a group option that is a control character" : "the group option '" + shown(c) + "'", offset);
      }
    }
  }

  bool quantifier(Part& part, std::size_t offset, bool first) {
    const std::size_t at = in_.offset();
    std::uint32_t min = 0, max = SyntaxNode::kUnlimited;
    bool greedy = true, possessive = false;
    const bool counted = in_.looking_at("{");
    if (counted) {
      if (!interval(min, max)) return false;
      // Oniguruma takes {3,1} for {1,3}+, and {n}? for (?:{n})?.
      possessive = min > max;
      if (possessive) std::swap(min, max);
      if (min != max && !possessive) greedy = !in_.accept("?");
    } else {
      if (in_.accept("?")) max = 1;
      else if (in_.accept("+")) min = 1;
      else if (!in_.accept("*")) return false;
      greedy = !in_.accept("?");
      possessive = greedy && in_.accept("+");
    }
    SyntaxTree target = part.tree != nullptr ? std::move(part.tree) : literal_tree({part.literal}, part.ignore_case);
    if (first && is_position(*target)) in_.invalid("a quantifier of an anchor or look-around", at);
    // Whether Oniguruma stops counting at an iteration that takes nothing depends on the size of what it compiles the body to.
    if (counted && (min > 1 || max > 1) && can_be_empty(*target)) in_.unsupported("a counted repeat of what can be empty", at);
    if (possessive && look_behind_ != Look::kNone) in_.unsupported("a possessive quantifier in a look-behind", offset);
    auto node = make_parent(Kind::kRepeat, std::move(target));
    node->min = min;
    node->max = max;
    node->greedy = greedy;
    part.tree = possessive ? make_parent(Kind::kAtomic, std::move(node)) : std::move(node);
    return true;
  }

  // Reads {n}, {n,}, {n,m} or {,m}; anything else leaves the '{' a literal.
  bool interval(std::uint32_t& min, std::uint32_t& max) {
    const std::size_t offset = in_.offset();
    in_.next();
    const bool has_min = number(min, offset);
    max = min;
    bool valid = has_min;
    if (in_.accept(",")) {
      const bool has_max = number(max, offset);
      if (!has_max) max = SyntaxNode::kUnlimited;
      valid = has_min || has_max;
    }
    if (valid && in_.accept("}")) return true;
    in_.back_to(offset);
    return false;
  }

  bool number(std::uint32_t& value, std::size_t offset) {
    value = 0;
    bool any = false;
    while (!in_.at_end() && in_.peek() >= '0' && in_.peek() <= '9') {
      value = value * 10 + (in_.next() - '0');
      any = true;
      if (value > kRepeatMax) in_.invalid("a repeat count above " + std::to_string(kRepeatMax), offset);
    }
    return any;
  }

  enum class Look : std::uint8_t { kNone, kPositive, kNegative };

  PatternReader in_;
  Flags flags_;
  Look look_behind_ = Look::kNone;
  int depth_ = 0;
};

}  // namespace

bool can_be_empty(const SyntaxNode& node) {
  const auto empty = [](const SyntaxTree& child) { return can_be_empty(*child); };
  switch (node.kind) {
    case Kind::kSet: return false;
    case Kind::kAlternation: return std::any_of(node.children.begin(), node.children.end(), empty);
    case Kind::kConcatenation: case Kind::kAtomic: return std::all_of(node.children.begin(), node.children.end(), empty);
    case Kind::kRepeat: return node.min == 0 || can_be_empty(*node.children[0]);
    case Kind::kAnchor: case Kind::kLookAhead: case Kind::kLookBehind: return true;
  }
  return true;
}

SyntaxTree parse_pattern(std::string_view expression) {
  constexpr std::size_t kBytesMax = 1 << 16;  // each class is compared with all before it
  if (expression.size() > kBytesMax)
    throw Error(Code::kUnsupported, "the pattern has " + std::to_string(expression.size()) + " bytes, expected at most " + std::to_string(kBytesMax));
  return Parser(expression).parse();
}

}  // namespace flowrun::tokenizers
