#pragma once

// What the fuzz targets share: how a property is stated, and the properties of an encoding.

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/pipeline/encoding.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {

/// Throws std::logic_error unless `holds`.
inline void require(bool holds, const std::string& property) {
  if (!holds) throw std::logic_error("does not hold: " + property);
}

/// Requires lists of equal length, and offsets that are ranges of the characters of `text`.
inline void require_sound(const Encoding& encoding, std::string_view text) {
  const std::size_t count = encoding.size(), characters = count_code_points(text);
  require(encoding.tokens.size() == count && encoding.offsets.size() == count && encoding.type_ids.size() == count && encoding.special.size() == count &&
              encoding.padding.size() == count,
          "the lists of an encoding are equally long");
  for (const Range& offset : encoding.offsets) require(offset.begin <= offset.end && offset.end <= characters, "offsets are ranges of the text");
}

/// Requires that neither the begins nor the ends of offsets ever go back, in an encoding without the tokens that a post-processor adds.
inline void require_in_order(const Encoding& encoding) {
  for (std::size_t i = 1; i < encoding.size(); ++i) {
    const Range &before = encoding.offsets[i - 1], &offset = encoding.offsets[i];
    require(before.begin <= offset.begin && before.end <= offset.end, "offsets are in the order of tokens");
  }
}

/// Requires that what each token of byte-level BPE spells stands in `text` at its offsets, where nothing has changed the text. Spaces at both ends may be
/// missing from offsets, as a post-processor trims them. Tokens that end within a character are passed over: they have the offsets of all of it.
inline void require_slices(const Encoding& encoding, std::string_view text) {
  std::vector<std::size_t> places;  // of each character, and of the end
  for (std::size_t at = 0; at < text.size(); at += utf8_bytes(text, at)) places.push_back(at);
  places.push_back(text.size());
  const auto trimmed = [](std::string_view part) {
    const std::size_t begin = std::min(part.find_first_not_of(' '), part.size());
    return part.substr(begin, part.find_last_not_of(' ') + 1 - begin);
  };
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const auto bytes = bpe::byte_level_decode(encoding.tokens[i]);
    if (!bytes || find_malformed_utf8(*bytes) != std::string_view::npos) continue;
    const std::size_t begin = places.at(encoding.offsets[i].begin), end = places.at(encoding.offsets[i].end);
    require(trimmed(*bytes) == trimmed(text.substr(begin, end - begin)), "what a token spells stands at its offsets");
  }
}

}  // namespace flowrun::tokenizers
