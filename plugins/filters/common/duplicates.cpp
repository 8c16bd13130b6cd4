#include "filters/common/duplicates.hpp"

#include <functional>

#include "filters/common/text.hpp"

namespace flowrun::filters {

Duplicates find_duplicates(std::span<const std::string_view> elements) {
  Duplicates found;
  HashIndex index;
  index.reset(elements.size());
  for (std::uint32_t i = 0; i < elements.size(); ++i) {
    const std::uint64_t hash = std::hash<std::string_view>()(elements[i]);
    if (index.find_or_add(hash, i, [&](std::uint32_t other) { return elements[other] == elements[i]; }) == i) continue;
    ++found.elements;
    found.characters += character_count(elements[i]);
  }
  return found;
}

}  // namespace flowrun::filters
