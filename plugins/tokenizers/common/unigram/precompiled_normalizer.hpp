#pragma once

// The `Precompiled` normalizer: sentencepiece's precompiled_charsmap, a trie of character sequences (darts-clone's double array) and the string
// of their replacements. Gives what Hugging Face tokenizers 0.23.3 gives (its normalizers/precompiled.rs over the crate spm_precompiled), which
// is not what sentencepiece gives: a grapheme cluster of less than 6 bytes is replaced whole by the replacement of its shortest prefix in the
// map, else each character by that of its own shortest prefix. Checked with its answers in testdata/precompiled.jsonl.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

/// One character of a normalized text, and how it stands to those before: 1 if it is new, 0 if it takes the place of the next one, -N if it takes
/// the place of the next one and the N behind it (NormalizedString::transform of Hugging Face tokenizers).
struct NormalizedCharacter {
  char32_t character;
  std::int64_t change;
  friend bool operator==(const NormalizedCharacter&, const NormalizedCharacter&) = default;
};

/// Replaces characters by a map, immutable: any number of threads may call it at once.
///
/// Time: linear. Grapheme clusters are those of utf8proc (2.8: Unicode 15.0) with the marks that were added up to Unicode 17.0, the peer's. One
/// difference is left: rule GB9c of Unicode 15.1. It shows only where an Indic consonant and virama stand before one of the 13 consonants with
/// nukta that NFKC takes apart (U+0958 to U+095F and others) with a mark of two bytes behind it: the mark is lost here, and kept by the peer.
class PrecompiledNormalizer {
 public:
  /// Reads a precompiled_charsmap: bytes of the trie (32 bits, little-endian), the trie, replacements (UTF-8) that end with a zero byte each.
  /// Throws kCorruptData with what is wrong; no text can then lead outside the map.
  explicit PrecompiledNormalizer(std::string_view charsmap);

  /// Reads it as tokenizer.json holds it.
  static PrecompiledNormalizer from_base64(std::string_view text);

  /// Appends the characters of `text` as they are after normalization. Returns false if the map replaced nothing: then they are those of `text`.
  ///
  /// A quirk of the peer is kept: characters that the map deletes count as removed behind the character before them, and are counted nowhere
  /// if there is none.
  bool normalize(std::string_view text, std::vector<NormalizedCharacter>& out) const;

  /// Returns the normalized text alone.
  std::string normalize(std::string_view text) const;

  /// Returns the bytes that it was read from.
  const std::string& charsmap() const noexcept { return charsmap_; }

 private:
  void check_trie();
  void check_value(std::size_t value) const;
  std::optional<std::string_view> replacement(std::string_view chunk) const noexcept;
  std::string_view replacement_at(std::size_t offset) const noexcept;

  std::string charsmap_;
  std::vector<std::uint32_t> units_;  // filled up to a multiple of 256: a step changes the last 8 bits of a place that has been checked
  std::string replacements_;
};

}  // namespace flowrun::tokenizers
