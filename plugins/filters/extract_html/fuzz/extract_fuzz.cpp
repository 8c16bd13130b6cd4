#include "extract_fuzz.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "filters/extract_html/guarded_parser.hpp"
#include "filters/extract_html/heads.hpp"
#include "filters/extract_html/page.hpp"

namespace flowrun::filters::html {
namespace {

void require(bool holds, const char* property) {
  if (!holds) throw std::logic_error(std::string("does not hold: ") + property);
}

/// By the table of well-formed sequences of the Unicode standard (3-7).
bool is_utf8(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const auto is_between = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  for (std::size_t at = 0; at < text.size();) {
    const unsigned lead = byte(at);
    const std::size_t size = lead < 0x80 ? 1 : is_between(lead, 0xC2, 0xDF) ? 2 : is_between(lead, 0xE0, 0xEF) ? 3 : is_between(lead, 0xF0, 0xF4) ? 4 : 0;
    if (size == 0) return false;
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (size > 1 && !is_between(byte(at + 1), low, high)) return false;
    for (std::size_t i = 2; i < size; ++i)
      if (!is_between(byte(at + i), 0x80, 0xBF)) return false;
    at += size;
  }
  return true;
}

void require_sound(const Page& page) {
  std::uint32_t end = 0;
  std::vector<std::uint64_t> text(page.sections.size(), 0), links(page.sections.size(), 0);
  for (const Block& block : page.blocks) {
    require(block.begin >= end && block.begin < block.end && block.end <= page.text.size(), "blocks lie in the text, one behind the other");
    require(block.link_bytes <= block.bytes() && block.section < page.sections.size(), "a block's links are a part of it");
    end = block.end;
    text[block.section] += block.bytes();
    links[block.section] += block.link_bytes;
  }
  for (std::size_t i = page.sections.size(); i-- > 0;) {
    const Section& section = page.sections[i];
    require(text[i] == section.text_bytes && links[i] == section.link_bytes, "a section has what its blocks and the sections in it have");
    require(section.first_block <= section.end_block && section.end_block <= page.blocks.size(), "a section's blocks are a range");
    if (i == 0) continue;
    require(section.parent < i, "parents stand before their children");
    text[section.parent] += text[i];
    links[section.parent] += links[i];
  }
}

}  // namespace

void fuzz_extract_html(std::string_view bytes) {
  GuardedParser parser({200, 20000, 2000000});
  const ParsedPage parsed = parser.parse(bytes);
  require((parsed.document == nullptr) == (parsed.met != ParserLimit::kNone), "a page has a tree or met a limit");
  if (parsed.document == nullptr) return;
  Page page;
  read_page(parsed.document, page);
  require_sound(page);
  const std::vector<bool> article = select_blocks(page, Head::kArticle), full = select_blocks(page, Head::kFull), both = select_blocks(page, Head::kUnion);
  require(article.size() == page.blocks.size() && full.size() == article.size() && both.size() == article.size(), "heads answer for each block");
  for (std::size_t i = 0; i < both.size(); ++i) require(both[i] || (!full[i] && !article[i]), "the union takes what either takes");
  if (!is_utf8(bytes)) return;
  for (const std::string& text : {join_blocks(page, both), page.title, page.language, page.url}) require(is_utf8(text), "texts of valid pages are valid");
}

}  // namespace flowrun::filters::html
