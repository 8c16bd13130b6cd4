#pragma once

// What a pattern is compiled to: a graph of instructions, run by matcher.cpp.

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "char_set.hpp"
#include "syntax_tree.hpp"

namespace flowrun::tokenizers {

/// One step of a match. Each names its successors, so that where a run may still get to from an instruction at a position depends on these two
/// alone; loops whose body may match nothing are unrolled to that end (see compile_program).
struct Instruction {
  enum class Op : std::uint8_t {
    kSet,         ///< takes one character of `sets[operand]`, then `next`
    kSetBefore,   ///< the same backwards
    kSplit,       ///< `next`, and if that fails `other`
    kAnchor,      ///< `next` if the anchor `operand` holds here
    kAtomic,      ///< the run from `body`: `other` at its end if it took something, else `next`
    kLookAround,  ///< `next` if the run from `body` ends (or does not, if `operand` is 1)
    kEnd,         ///< the run has matched
  };
  Op op;
  std::uint32_t operand = 0;
  std::uint32_t next = 0, other = 0, body = 0;
};

struct Program {
  static constexpr std::size_t kNoLimit = ~std::size_t{0};

  std::vector<Instruction> code;
  std::vector<CharSet> sets;
  std::uint32_t start = 0;
  /// The bytes that a match can begin with; all of them if it can be empty.
  std::bitset<256> first_bytes;
  /// How many bytes before a position its look-behinds may read.
  std::size_t look_behind_bytes = 0;
};

/// Compiles a pattern; throws as `parse_pattern`, and kUnsupported where its repeat counts make it larger than 200,000 instructions.
Program compile_program(std::string_view expression);

}  // namespace flowrun::tokenizers
