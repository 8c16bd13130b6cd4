#pragma once

// What the fuzz targets share: how a property is stated, and the properties of an encoding.

#include <stdexcept>
#include <string>
#include <string_view>

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

}  // namespace flowrun::tokenizers
