#pragma once

// Tags in wikitext: HTML's and those of MediaWiki's extensions.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flowrun::readers {

/// What becomes of a tag.
enum class TagAction : std::uint8_t {
  kUnknown,    ///< none of ours: it is text
  kStrip,      ///< the tag goes, what is inside stays
  kBreak,      ///< so does this one, and a new line begins
  kCell,       ///< a cell of a table in HTML
  kTable,      ///< a table in HTML
  kDrop,       ///< the tag and what is inside go
  kReference,  ///< likewise; a second one before the end means that the first was not closed
  kMath,       ///< a formula in TeX
  kChemistry,  ///< a formula in the notation of mhchem
  kNowiki,     ///< what is inside is text without markup
  kVerbatim,   ///< likewise, as lines of its own: code
};

struct Tag {
  TagAction action = TagAction::kUnknown;
  std::uint8_t number = 0;     ///< of its name, below kTagCount
  std::string_view name;       ///< as written
  bool closing = false;        ///< </name>
  bool self_closing = false;   ///< <name/>
  std::size_t size = 0;        ///< of the whole tag in bytes; 0: there is none
};

inline constexpr std::size_t kTagCount = 128;  ///< more names than there are

/// Reads the tag at the start of `text`, which begins with '<'. Looks no further than the next '<' or '>'.
Tag read_tag(std::string_view text) noexcept;

/// Returns the offset of the tag that closes `tag` in `text`, or npos. Looks at each '<' once.
std::size_t find_closing(std::string_view text, const Tag& tag) noexcept;

}  // namespace flowrun::readers
