#pragma once

// A page as blocks of text in the sections that hold them: what every head chooses from.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct lxb_dom_node;

namespace flowrun::filters::html {

/// What an element's class, id and role say of it.
enum class Naming : std::uint8_t { kNothing, kContent, kBoilerplate, kHidden };

/// What an element is to the rules of the heads.
enum class SectionKind : std::uint8_t {
  kOther, kRoot, kMain, kArticle, kNav, kAside, kHeader, kFooter, kHeading, kParagraph, kList, kListItem, kTable, kCell, kPre, kQuote, kForm, kFigure, kDivision
};

enum class BlockKind : std::uint8_t { kPlain, kParagraph, kHeading, kListItem, kRow, kPre };

/// A line of a page, or several where it has breaks: the text of a paragraph, heading, list item, row of a table, or of what stands between such elements.
struct Block {
  std::uint32_t begin = 0, end = 0;    ///< in the page's text, white space folded, none at the ends
  std::uint32_t link_bytes = 0;        ///< of them in links
  std::uint32_t section = 0;           ///< that holds it directly
  std::int32_t marker = 0;             ///< before its first line: 0 nothing, -1 a dash, else a number
  std::uint8_t indent = 0;             ///< lists around it, beyond the first
  BlockKind kind = BlockKind::kPlain;
  std::uint32_t bytes() const noexcept { return end - begin; }
};

/// An element that breaks lines, with what stands in it and below it.
struct Section {
  std::uint32_t parent = 0;                        ///< smaller than its own number; the root's is itself
  std::uint32_t first_block = 0, end_block = 0;
  std::uint32_t text_bytes = 0, link_bytes = 0;
  SectionKind kind = SectionKind::kOther;
  Naming naming = Naming::kNothing;
  bool has_heading = false;                        ///< h1 or h2
  std::uint32_t own_bytes() const noexcept { return text_bytes - link_bytes; }
  double link_density() const noexcept { return text_bytes == 0 ? 0 : static_cast<double>(link_bytes) / text_bytes; }
};

/// Everything of a page that is visible, and what it says of itself.
struct Page {
  std::string text;
  std::vector<Block> blocks;      ///< in the order of the page
  std::vector<Section> sections;  ///< parents before children; the first is the whole page
  std::string title;              ///< <title>, else og:title, else the first <h1>
  std::string language;           ///< of <html lang>, else of a <meta> of Content-Language or og:locale, as it is written
  std::string url;                ///< of <link rel=canonical>, else og:url; "" unless it begins with http:// or https://
};

/// Makes the blocks and sections of a parsed document; texts are UTF-8 where the document's are. Time and memory are linear in the document; no recursion, however deep it is.
void read_page(const lxb_dom_node* document, Page& page);

}  // namespace flowrun::filters::html
