#include "program.hpp"

#include <algorithm>
#include <flowrun/error.hpp>
#include <utility>

namespace flowrun::tokenizers {
namespace {

using Op = Instruction::Op;
using Kind = SyntaxNode::Kind;
using Place = std::uint32_t;  // of an instruction

// Where a match goes on. Oniguruma leaves a loop when an iteration has taken nothing; whether it has is part of the place here, so that it need
// not be asked when the program runs: each part of a body is compiled once for each of the two.
struct Goals {
  Place empty;  // nothing has been taken since the iteration of the enclosing loop began
  Place moved;  // something has

  bool same() const noexcept { return empty == moved; }
};

class Compiler {
 public:
  Program compile(std::string_view expression) && {
    const SyntaxTree tree = parse_pattern(expression);
    end_ = emit({Op::kEnd});
    program_.start = place_of(*tree, {end_, end_});
    find_first_bytes();
    return std::move(program_);
  }

 private:
  static constexpr std::size_t kSizeMax = 200000;

  Place emit(Instruction instruction) {
    if (program_.code.size() == kSizeMax)
      throw Error(Code::kUnsupported, "the pattern needs more than " + std::to_string(kSizeMax) + " instructions, its repeat counts are too large");
    program_.code.push_back(instruction);
    return static_cast<Place>(program_.code.size() - 1);
  }

  // Returns the place where `node` begins, given that nothing has been taken yet and that the match goes on at `goals`.
  Place place_of(const SyntaxNode& node, Goals goals) {
    switch (node.kind) {
      case Kind::kSet: return emit({backward_ ? Op::kSetBefore : Op::kSet, set_index(node.set), goals.moved});
      case Kind::kConcatenation: return concatenation(node, goals);
      case Kind::kAlternation: return alternation(node, goals);
      case Kind::kRepeat: return repeat(node, goals);
      case Kind::kAtomic: return emit({Op::kAtomic, 0, goals.empty, goals.moved, body_of(node, false)});
      case Kind::kLookAhead: return emit({Op::kLookAround, node.negated ? 1u : 0u, goals.empty, 0, body_of(node, false)});
      case Kind::kLookBehind: {
        program_.look_behind_bytes = std::max(program_.look_behind_bytes, bytes_max(*node.children[0]));
        return emit({Op::kLookAround, node.negated ? 1u : 0u, goals.empty, 0, body_of(node, true)});
      }
      case Kind::kAnchor: return emit({Op::kAnchor, static_cast<std::uint32_t>(node.anchor), goals.empty});
    }
    return end_;
  }

  Place body_of(const SyntaxNode& node, bool backward) {
    const bool outside = std::exchange(backward_, backward);
    const Place place = place_of(*node.children[0], {end_, end_});
    backward_ = outside;
    return place;
  }

  std::uint32_t set_index(const CharSet& set) {
    const auto& ranges = set.ranges();
    const auto equal = [&](const CharSet& known) {
      return std::equal(ranges.begin(), ranges.end(), known.ranges().begin(), known.ranges().end(),
                        [](const auto& a, const auto& b) { return a.first == b.first && a.last == b.last; });
    };
    const auto found = std::find_if(program_.sets.begin(), program_.sets.end(), equal);
    if (found != program_.sets.end()) return static_cast<std::uint32_t>(found - program_.sets.begin());
    program_.sets.push_back(set);
    return static_cast<std::uint32_t>(program_.sets.size() - 1);
  }

  // Puts `node` before `goals`: what follows it becomes where it leads to.
  Goals before(const SyntaxNode& node, Goals goals) {
    const Place moved = place_of(node, {goals.moved, goals.moved});
    return {goals.same() || !can_be_empty(node) ? moved : place_of(node, goals), moved};
  }

  Place concatenation(const SyntaxNode& node, Goals goals) {
    const std::size_t n = node.children.size();
    for (std::size_t i = 0; i < n; ++i) {
      const SyntaxNode& child = *node.children[backward_ ? i : n - 1 - i];
      if (i == n - 1) return place_of(child, goals);
      goals = before(child, goals);
    }
    return goals.empty;
  }

  Place alternation(const SyntaxNode& node, Goals goals) {
    Place place = place_of(*node.children.back(), goals);
    for (std::size_t i = node.children.size() - 1; i-- > 0;) place = emit({Op::kSplit, 0, place_of(*node.children[i], goals), place});
    return place;
  }

  Place choice(bool greedy, Place body, Place rest) { return emit({Op::kSplit, 0, greedy ? body : rest, greedy ? rest : body}); }

  Place repeat(const SyntaxNode& node, Goals goals) {
    const SyntaxNode& body = *node.children[0];
    if (node.max == SyntaxNode::kUnlimited) {
      const Place moved = loop(node, goals.moved);
      goals = {goals.same() ? moved : choice(node.greedy, place_of(body, {goals.empty, moved}), goals.empty), moved};
    } else {
      const Goals rest = goals;
      for (std::uint32_t i = node.min; i < node.max; ++i) {
        const Goals bodies = before(body, goals);
        const Place moved = choice(node.greedy, bodies.moved, rest.moved);
        goals = {rest.same() ? moved : choice(node.greedy, bodies.empty, rest.empty), moved};
      }
    }
    for (std::uint32_t i = 0; i < node.min; ++i) goals = before(body, goals);
    return goals.empty;
  }

  // The loop that begins where something has been taken already: an iteration that takes nothing goes on at `rest`.
  Place loop(const SyntaxNode& node, Place rest) {
    const Place place = emit({Op::kSplit});
    const SyntaxNode& child = *node.children[0];
    const Place body = place_of(child, {can_be_empty(child) ? rest : place, place});
    Instruction& split = program_.code[place];
    split.next = node.greedy ? body : rest;
    split.other = node.greedy ? rest : body;
    return place;
  }

  static std::size_t bytes_max(const SyntaxNode& node) {
    std::size_t sum = 0, most = 0;
    for (const SyntaxTree& child : node.children) {
      const std::size_t bytes = bytes_max(*child);
      sum = bytes > Program::kNoLimit - sum ? Program::kNoLimit : sum + bytes;
      most = std::max(most, bytes);
    }
    switch (node.kind) {
      case Kind::kSet: return 4;
      case Kind::kAlternation: return most;
      case Kind::kRepeat: return most == 0 ? 0 : most > (std::size_t{1} << 40) || node.max == SyntaxNode::kUnlimited ? Program::kNoLimit : most * node.max;
      default: return sum;
    }
  }

  void find_first_bytes() {
    std::vector<bool> seen(program_.code.size(), false);
    std::vector<Place> places{program_.start};
    while (!places.empty()) {
      const Place place = places.back();
      places.pop_back();
      if (seen[place]) continue;
      seen[place] = true;
      const Instruction& instruction = program_.code[place];
      switch (instruction.op) {
        case Op::kSet: add_first_bytes(program_.sets[instruction.operand]); break;
        case Op::kSplit: places.insert(places.end(), {instruction.next, instruction.other}); break;
        case Op::kAnchor: case Op::kLookAround: places.push_back(instruction.next); break;
        // The body's end is the program's own, so one that may take nothing counts as all bytes.
        case Op::kAtomic: places.push_back(instruction.body); break;
        case Op::kSetBefore: case Op::kEnd: program_.first_bytes.set(); return;
      }
    }
  }

  void add_first_bytes(const CharSet& set) {
    for (std::uint32_t byte = 0; byte < 128; ++byte)
      if (set.contains(byte)) program_.first_bytes.set(byte);
    if (set.ranges().empty() || set.ranges().back().last < 128) return;
    for (std::size_t byte = 128; byte < 256; ++byte) program_.first_bytes.set(byte);
  }

  Program program_;
  Place end_ = 0;
  bool backward_ = false;
};

}  // namespace

Program compile_program(std::string_view expression) { return Compiler().compile(expression); }

}  // namespace flowrun::tokenizers
