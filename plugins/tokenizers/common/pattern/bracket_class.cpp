#include "bracket_class.hpp"

#include <string>

namespace flowrun::tokenizers {
namespace {

CharSet property(PatternReader& in, std::size_t offset) {
  if (!in.accept("{")) in.unsupported("'\\p' without its braces", offset);
  const bool negated = in.accept("^");
  std::string name;
  while (!in.accept("}")) {
    if (in.at_end()) in.invalid("a property without its '}'", offset);
    name += shown(in.next());
  }
  const auto set = property_set(name);
  if (!set) in.unsupported("the property '" + name + "'", offset);
  return negated ? set->complement() : *set;
}

std::uint32_t checked(PatternReader& in, std::size_t offset, std::uint32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) in.unsupported("a number that is no character", offset);
  return code_point;
}

// \xHH and octal numbers are bytes: from 0x80 on they are parts of characters.
std::uint32_t checked_byte(PatternReader& in, std::size_t offset, std::uint32_t byte) {
  if (byte > 0xFF) in.invalid("a number that is no byte", offset);
  if (byte > 0x7F) in.unsupported("a byte of a character", offset);
  return byte;
}

std::uint32_t hexadecimal(PatternReader& in, std::size_t offset) {
  std::uint32_t value = 0;
  if (!in.accept("{")) {
    if (in.digits(16, 2, value) == 0) in.unsupported("a '\\x' without digits", offset);
    return checked_byte(in, offset, value);
  }
  if (in.digits(16, 8, value) == 0) in.unsupported("a '\\x{' without digits", offset);
  if (!in.accept("}")) in.unsupported("a '\\x{' with more than one number", offset);
  return checked(in, offset, value);
}

// The parser of one bracket class. What it has last read may become the begin of a range, so it waits in `pending_`.
class BracketParser {
 public:
  BracketParser(PatternReader& in, std::size_t offset, int depth) : in_(in), offset_(offset), depth_(depth) {}

  BracketClass parse() {
    const bool negated = in_.accept("^");
    if (in_.looking_at("]")) {
      // A first ']' is a member, if another one closes the class.
      in_.next();
      if (!in_.has_ahead(']')) in_.invalid("an empty class", offset_);
      member(']');
    }
    while (!in_.accept("]")) {
      if (in_.at_end()) in_.invalid("a class without its ']'", offset_);
      item();
    }
    flush();
    return {intersection_ ? intersection_->intersected(set()) : set(), negated};
  }

 private:
  enum class State { kStart, kValue, kClass, kRange, kComplete };
  static constexpr int kDepthMax = 50;

  CharSet set() const { return CharSet::of(ranges_); }

  void flush() {
    if (state_ == State::kValue) ranges_.push_back({pending_, pending_});
  }

  void add(const CharSet& set) { ranges_.insert(ranges_.end(), set.ranges().begin(), set.ranges().end()); }

  void item() {
    const std::size_t at = in_.offset();
    if (in_.accept("&&")) return intersect();
    const std::uint32_t c = in_.next();
    if (c == '-') return dash(at);
    if (c == '[') return nested(at);
    if (c != '\\') return member(c, at);
    if (in_.at_end()) in_.invalid("a '\\' at the end", at);
    if (const auto set = escaped_class(in_, at)) return whole_class(*set, at);
    member(escaped_character(in_, at, true), at);
  }

  void member(std::uint32_t c, std::size_t at = 0) {
    if (state_ == State::kRange) {
      if (pending_ > c) in_.invalid("an empty range", at);
      // Oniguruma 6.9 turns the complement of such a range into all characters beyond ASCII, if the class is a part of another.
      if (pending_ == 0 && c > 0x7F && depth_ > 0) in_.unsupported("a range from U+0000 beyond ASCII in a class in a class", at);
      ranges_.push_back({pending_, c});
      state_ = State::kComplete;
      return;
    }
    flush();
    pending_ = c;
    state_ = State::kValue;
  }

  void dash(std::size_t at) {
    const bool last = in_.looking_at("]") || in_.looking_at("&&");
    if (last || (state_ != State::kValue && state_ != State::kClass)) return member('-', at);
    if (state_ == State::kClass) in_.invalid("a range that begins with a class", at);
    state_ = State::kRange;
  }

  void whole_class(const CharSet& set, std::size_t at) {
    if (state_ == State::kRange) in_.invalid("a range that ends with a class", at);
    flush();
    add(set);
    state_ = State::kClass;
  }

  void nested(std::size_t at) {
    if (const auto set = posix(at)) return whole_class(*set, at);
    if (state_ == State::kRange) in_.unsupported("a range that ends with a class", at);
    if (depth_ == kDepthMax) in_.unsupported("classes nested more than " + std::to_string(kDepthMax) + " deep", at);
    flush();
    const BracketClass inner = BracketParser(in_, at, depth_ + 1).parse();
    // Oniguruma 6.9 takes the complement of all characters beyond ASCII for all of them, not for none, if the class is a part of another.
    if (inner.negated && CharSet(0x80, 0x10FFFF).intersected(inner.set.complement()).ranges().empty())
      in_.unsupported("a negated class of all characters beyond ASCII in a class", at);
    add(inner.negated ? inner.set.complement() : inner.set);
    state_ = State::kComplete;
  }

  // Reads `:name:]` behind a '['; anything else is a class in the class.
  std::optional<CharSet> posix(std::size_t at) {
    const std::size_t begin = in_.offset();
    if (!in_.accept(":")) return std::nullopt;
    const bool negated = in_.accept("^");
    std::string name;
    while ((in_.peek() | 0x20) >= 'a' && (in_.peek() | 0x20) <= 'z') name += shown(in_.next());
    if (name.empty() || !in_.accept(":]")) {
      in_.back_to(begin);
      return std::nullopt;
    }
    const auto set = posix_set(name);
    if (!set) in_.invalid("the unknown class '[:" + name + ":]'", at);
    return negated ? set->complement() : *set;
  }

  void intersect() {
    flush();
    intersection_ = intersection_ ? intersection_->intersected(set()) : set();
    ranges_.clear();
    state_ = State::kStart;
  }

  PatternReader& in_;
  const std::size_t offset_;
  const int depth_;
  std::vector<CodePointRange> ranges_;
  std::optional<CharSet> intersection_;  // of what stands before each &&
  State state_ = State::kStart;
  std::uint32_t pending_ = 0;
};

}  // namespace

BracketClass parse_bracket_class(PatternReader& in, std::size_t offset) { return BracketParser(in, offset, 0).parse(); }

std::optional<CharSet> escaped_class(PatternReader& in, std::size_t offset) {
  const std::uint32_t letter = in.peek();
  const char* name = nullptr;
  switch (letter | 0x20) {
    case 's': name = "space"; break;
    case 'd': name = "digit"; break;
    case 'w': name = "word"; break;
    case 'h': name = "xdigit"; break;
    case 'p': break;
    default: return std::nullopt;
  }
  if (letter > 0x7F) return std::nullopt;
  in.next();
  const CharSet set = name != nullptr ? *posix_set(name) : property(in, offset);
  return (letter & 0x20) != 0 ? set : set.complement();
}

std::uint32_t escaped_character(PatternReader& in, std::size_t offset, bool in_brackets) {
  std::uint32_t value = 0;
  const std::size_t at = in.offset();
  const std::uint32_t letter = in.next();
  switch (letter) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return '\a';
    case 'e': return 0x1B;
    case 'b': return in_brackets ? '\b' : letter;
    case 'x': return hexadecimal(in, offset);
    case 'u':
      if (in.digits(16, 4, value) != 4) in.invalid("a '\\u' without its four digits", offset);
      return checked(in, offset, value);
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
      in.back_to(at);
      in.digits(8, 3, value);
      return checked_byte(in, offset, value);
    case 'c': case 'C': case 'M': in.unsupported("a control or meta escape", offset);
    case 'o':
      if (in.looking_at("{")) in.unsupported("an octal escape in braces", offset);
      return letter;
    default: return letter;
  }
}

}  // namespace flowrun::tokenizers
