#pragma once

#include <cstdint>

#include "page.hpp"

namespace flowrun::filters::html {

/// How an element is laid out.
enum class Display : std::uint8_t { kInline, kBlock, kBreak, kCell, kSkipped };

/// What is known of an element by its tag.
struct ElementTraits {
  Display display = Display::kInline;
  SectionKind section = SectionKind::kOther;
  BlockKind block = BlockKind::kPlain;  ///< of text that stands in it directly
};

/// Returns the traits of a tag; those of an inline element for one that the standard does not have.
const ElementTraits& traits_of(std::uintptr_t tag) noexcept;

}  // namespace flowrun::filters::html
