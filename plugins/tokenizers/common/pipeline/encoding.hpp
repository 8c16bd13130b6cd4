#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "normalized_string.hpp"

namespace flowrun::tokenizers {

/// A text as tokens; the lists are equally long.
struct Encoding {
  std::vector<std::uint32_t> ids;
  std::vector<std::string> tokens;
  std::vector<Range> offsets;  ///< code points of the input; {0, 0} for tokens that come from nowhere
  std::vector<std::uint32_t> type_ids;
  std::vector<bool> special;  ///< put there by the post-processor
  std::vector<bool> padding;

  std::size_t size() const noexcept { return ids.size(); }
  void add(std::uint32_t id, std::string token, Range offset, std::uint32_t type_id, bool is_special, bool is_padding = false) {
    ids.push_back(id);
    tokens.push_back(std::move(token));
    offsets.push_back(offset);
    type_ids.push_back(type_id);
    special.push_back(is_special);
    padding.push_back(is_padding);
  }
};

}  // namespace flowrun::tokenizers
