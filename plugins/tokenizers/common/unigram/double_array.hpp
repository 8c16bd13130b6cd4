#pragma once

// A trie of byte strings in a double array: the child of a node by byte c is unit base ^ c, if that unit says c. One load of 8 bytes a
// step, and no allocation while searching. Bases are given to one node each, so the byte alone identifies the parent.
// Source: Aoe 1989, "An efficient digital search algorithm by using a double-array structure"; XOR instead of plus as in darts-clone.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::tokenizers {

/// Maps byte strings to numbers, immutable: any number of threads may search at once.
///
/// Memory: 8 bytes a node, and about a tenth of the units stay empty; no more while it is built. Building is linear in the bytes of the keys.
class DoubleArray {
 public:
  using Key = std::pair<std::string_view, std::uint32_t>;
  using KeyAt = std::function<Key(std::size_t)>;

  static constexpr std::uint32_t kValueMax = (1u << 23) - 2;

  /// Takes keys in ascending order of their bytes, each once; the empty string is one too, though no prefix.
  /// Throws kInvalidArgument for keys out of order or twice, kUnsupported for a value above kValueMax or a trie of 2^32 units.
  explicit DoubleArray(std::span<const Key> sorted_keys) : DoubleArray(sorted_keys.size(), [&](std::size_t i) { return sorted_keys[i]; }) {}
  /// The same for `count` keys that lie elsewhere: `key_at(i)` gives one of them, again and again.
  DoubleArray(std::size_t count, const KeyAt& key_at);

  /// Calls `visit(end, value)` for each key that is text[begin, end), shortest first. Returns the steps that it made in the trie.
  template <class Visit>
  std::size_t for_each_prefix(std::string_view text, std::size_t begin, Visit&& visit) const {
    std::uint32_t base = units_[0].base;
    for (std::size_t i = begin; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const Unit unit = units_[base ^ byte];
      if ((unit.tag & kLabelMask) != (kUsed | byte)) return i - begin + 1;
      base = unit.base;
      if (unit.tag >> kValueShift != 0) visit(i + 1, (unit.tag >> kValueShift) - 1);
    }
    return text.size() - begin;
  }

  std::optional<std::uint32_t> find(std::string_view key) const noexcept;

  std::size_t memory_bytes() const noexcept { return units_.size() * sizeof(Unit); }

 private:
  friend class DoubleArrayBuilder;

  static constexpr std::uint32_t kUsed = 0x100;
  static constexpr std::uint32_t kLabelMask = 0x1FF;
  static constexpr unsigned kValueShift = 9;

  // A node without children has base 0, which no other node has: then no unit of the first block says the byte that leads to it from there.
  struct Unit {
    std::uint32_t base = 0;
    std::uint32_t tag = 0;  // value + 1 (0 if no key ends here), whether the unit is a child, its byte
  };

  std::vector<Unit> units_;  // the root is the first; a whole number of blocks of 256
};

}  // namespace flowrun::tokenizers
