#include "elements.hpp"

#include <lexbor/tag/tag.h>

#include <array>
#include <initializer_list>

namespace flowrun::filters::html {
namespace {

using Table = std::array<ElementTraits, LXB_TAG__LAST_ENTRY>;

constexpr Table make_table() {
  Table table{};
  const auto set = [&](std::initializer_list<lxb_tag_id_enum_t> tags, ElementTraits traits) {
    for (const auto tag : tags) table[tag] = traits;
  };
  // What shows no text of its own, or is no text of the page: programs, forms' fields, graphics, what stands in for media.
  set({LXB_TAG_SCRIPT,   LXB_TAG_STYLE,  LXB_TAG_TEMPLATE, LXB_TAG_NOSCRIPT, LXB_TAG_NOFRAMES, LXB_TAG_NOEMBED, LXB_TAG_IFRAME, LXB_TAG_OBJECT,   LXB_TAG_EMBED,
       LXB_TAG_APPLET,   LXB_TAG_AUDIO,  LXB_TAG_VIDEO,    LXB_TAG_CANVAS,   LXB_TAG_SVG,      LXB_TAG_MAP,     LXB_TAG_BUTTON, LXB_TAG_SELECT,   LXB_TAG_TEXTAREA,
       LXB_TAG_DATALIST, LXB_TAG_OPTION, LXB_TAG_OPTGROUP, LXB_TAG_INPUT,    LXB_TAG_METER,    LXB_TAG_PROGRESS, LXB_TAG_ANNOTATION_XML, LXB_TAG_COLGROUP,
       LXB_TAG_DIALOG},
      {Display::kSkipped});
  set({LXB_TAG_DIV, LXB_TAG_SECTION, LXB_TAG_CENTER, LXB_TAG_DETAILS, LXB_TAG_SUMMARY, LXB_TAG_FIELDSET, LXB_TAG_LEGEND, LXB_TAG_HGROUP, LXB_TAG_SEARCH,
       LXB_TAG_FRAMESET, LXB_TAG_MARQUEE, LXB_TAG_MULTICOL},
      {Display::kBlock, SectionKind::kDivision});
  set({LXB_TAG_BODY, LXB_TAG_HTML}, {Display::kBlock, SectionKind::kRoot});
  set({LXB_TAG_MAIN}, {Display::kBlock, SectionKind::kMain});
  set({LXB_TAG_ARTICLE}, {Display::kBlock, SectionKind::kArticle});
  set({LXB_TAG_NAV}, {Display::kBlock, SectionKind::kNav});
  set({LXB_TAG_ASIDE}, {Display::kBlock, SectionKind::kAside});
  set({LXB_TAG_HEADER}, {Display::kBlock, SectionKind::kHeader});
  set({LXB_TAG_FOOTER}, {Display::kBlock, SectionKind::kFooter});
  set({LXB_TAG_H1, LXB_TAG_H2, LXB_TAG_H3, LXB_TAG_H4, LXB_TAG_H5, LXB_TAG_H6}, {Display::kBlock, SectionKind::kHeading, BlockKind::kHeading});
  set({LXB_TAG_P}, {Display::kBlock, SectionKind::kParagraph, BlockKind::kParagraph});
  set({LXB_TAG_PRE, LXB_TAG_LISTING, LXB_TAG_XMP, LXB_TAG_PLAINTEXT}, {Display::kBlock, SectionKind::kPre, BlockKind::kPre});
  set({LXB_TAG_BLOCKQUOTE, LXB_TAG_ADDRESS}, {Display::kBlock, SectionKind::kQuote, BlockKind::kParagraph});
  set({LXB_TAG_UL, LXB_TAG_OL, LXB_TAG_MENU, LXB_TAG_DIR, LXB_TAG_DL}, {Display::kBlock, SectionKind::kList});
  set({LXB_TAG_LI, LXB_TAG_DT, LXB_TAG_DD}, {Display::kBlock, SectionKind::kListItem, BlockKind::kListItem});
  set({LXB_TAG_TABLE, LXB_TAG_CAPTION, LXB_TAG_THEAD, LXB_TAG_TBODY, LXB_TAG_TFOOT}, {Display::kBlock, SectionKind::kTable});
  set({LXB_TAG_TR}, {Display::kBlock, SectionKind::kTable, BlockKind::kRow});
  set({LXB_TAG_TD, LXB_TAG_TH}, {Display::kCell, SectionKind::kCell});
  set({LXB_TAG_FORM}, {Display::kBlock, SectionKind::kForm});
  set({LXB_TAG_FIGURE, LXB_TAG_FIGCAPTION}, {Display::kBlock, SectionKind::kFigure, BlockKind::kParagraph});
  set({LXB_TAG_BR}, {Display::kBreak});
  set({LXB_TAG_HR}, {Display::kBlock});
  return table;
}

constexpr Table kTable = make_table();
constexpr ElementTraits kUnknown;

}  // namespace

const ElementTraits& traits_of(std::uintptr_t tag) noexcept { return tag < kTable.size() ? kTable[tag] : kUnknown; }

}  // namespace flowrun::filters::html
