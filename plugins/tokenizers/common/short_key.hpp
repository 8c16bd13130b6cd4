#pragma once

// A short pre-token as a fixed-size value: its bytes, zeros behind them, its length in the last byte. Comparing and hashing it takes a few
// instructions and no branch on the length, where a string takes a loop and a pointer to follow.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace flowrun::bpe {

static_assert(std::endian::native == std::endian::little, "the masks of ShortKey count bytes from the low end");

/// Holds up to `kWords * 8 - 1` bytes. The last byte has the length in its low five bits; its upper three are left to the owner.
template <std::size_t kWords>
struct ShortKey {
  static_assert(kWords >= 2 && kWords <= 4, "the length must fit five bits");
  static constexpr std::size_t kBytesMax = kWords * 8 - 1;
  std::uint64_t words[kWords];

  bool operator==(const ShortKey&) const = default;
  std::size_t size() const noexcept { return words[kWords - 1] >> 56 & 31; }

  /// Makes the key of `text.substr(begin, size)`, where `size` is at most kBytesMax.
  static ShortKey of(std::string_view text, std::size_t begin, std::size_t size) noexcept {
    // The bytes that a key of each size keeps, and its length: a table, because sizes are so mixed that branches on them are mispredicted.
    static constexpr auto kMasks = make_masks();
    ShortKey key;
    if (text.size() - begin >= sizeof key.words) {  // read past the pre-token, within the text, then clear what is not its own
      std::uint64_t read[kWords];
      std::memcpy(read, text.data() + begin, sizeof read);
      for (std::size_t i = 0; i < kWords; ++i) key.words[i] = read[i] & kMasks[size][i];
    } else {
      std::memset(key.words, 0, sizeof key.words);
      std::memcpy(key.words, text.data() + begin, size);
    }
    key.words[kWords - 1] |= std::uint64_t{size} << 56;
    return key;
  }

  /// Returns a hash whose high bits are the best ones: a sum of products, mixed once more.
  std::uint64_t hash() const noexcept {
    constexpr std::uint64_t kOdd[] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u, 0x27D4EB2F165667C5u};
    std::uint64_t h = 0;
    for (std::size_t i = 0; i < kWords; ++i) h += (words[i] ^ words[i] >> 32) * kOdd[i];
    return (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
  }

 private:
  // Word i of a key keeps its first bytes, as many as the text has there (little-endian: the low bits).
  static constexpr std::array<std::array<std::uint64_t, kWords>, kBytesMax + 1> make_masks() {
    std::array<std::array<std::uint64_t, kWords>, kBytesMax + 1> masks{};
    for (std::size_t size = 0; size <= kBytesMax; ++size)
      for (std::size_t byte = 0; byte < size; ++byte) masks[size][byte / 8] |= std::uint64_t{0xFF} << byte % 8 * 8;
    return masks;
  }
};

}  // namespace flowrun::bpe
