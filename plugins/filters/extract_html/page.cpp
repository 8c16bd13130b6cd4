// One walk over the tree. Blocks open at the first text that is no white space and close where an element that breaks lines begins or ends; sections open and close with
// such elements, and give what they hold to their parents.

#include "page.hpp"

#include <lexbor/dom/interfaces/attr.h>
#include <lexbor/dom/interfaces/character_data.h>
#include <lexbor/dom/interfaces/element.h>
#include <lexbor/tag/tag.h>

#include <algorithm>
#include <array>
#include <optional>

#include "elements.hpp"
#include "naming.hpp"

namespace flowrun::filters::html {
namespace {

constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

/// White space of HTML; a no-break space is two bytes and is looked at apart.
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }

constexpr auto kEndsWord = [] {
  std::array<bool, 256> ends{};
  for (const char c : {' ', '\n', '\t', '\r', '\f', '\xC2'}) ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Appends text with white space folded to single spaces, and none where the line begins; `space` says whether one is due before the next word.
void append_folded(std::string_view text, std::size_t line_begin, bool& space, std::string& out) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_space(text[at]) || text.substr(at, 2) == kNoBreakSpace) {
      space = true;
      at += is_space(text[at]) ? 1 : 2;
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() && !kEndsWord[static_cast<unsigned char>(text[end])]) ++end;
    if (space && out.size() > line_begin) out += ' ';
    space = false;
    out.append(text.substr(at, end - at));
    at = end;
  }
}

std::string folded(std::string_view text) {
  std::string out;
  bool space = false;
  append_folded(text, 0, space, out);
  return out;
}

bool is_blank(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_space(text[i])) continue;
    if (text.substr(i, 2) != kNoBreakSpace) return false;
    ++i;
  }
  return true;
}

std::string_view text_of(const lxb_dom_node& node) noexcept {
  const auto& data = reinterpret_cast<const lxb_dom_character_data_t&>(node).data;
  return {reinterpret_cast<const char*>(data.data), data.length};
}

/// The attributes of an element that heads look at; the parser leaves few others.
struct Attributes {
  std::string_view class_names, id, role, style, rel, href, name, property, content, http_equiv, lang;
  bool is_hidden = false;
};

Attributes read_attributes(const lxb_dom_node& node) {
  Attributes out;
  for (const lxb_dom_attr_t* attribute = reinterpret_cast<const lxb_dom_element_t&>(node).first_attr; attribute != nullptr; attribute = attribute->next) {
    std::size_t length = 0;
    const auto* name_data = lxb_dom_attr_local_name(const_cast<lxb_dom_attr_t*>(attribute), &length);
    const std::string_view name(reinterpret_cast<const char*>(name_data), length);
    const std::string_view value =
        attribute->value == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(attribute->value->data), attribute->value->length);
    if (name == "class") out.class_names = value;
    else if (name == "id") out.id = value;
    else if (name == "href") out.href = value;
    else if (name == "role") out.role = value;
    else if (name == "style") out.style = value;
    else if (name == "rel") out.rel = value;
    else if (name == "name") out.name = value;
    else if (name == "property") out.property = value;
    else if (name == "content") out.content = value;
    else if (name == "http-equiv") out.http_equiv = value;
    else if (name == "lang" || (name == "xml:lang" && out.lang.empty())) out.lang = value;
    else if (name == "hidden") out.is_hidden = value != "until-found";
    else if (name == "aria-hidden") out.is_hidden = out.is_hidden || value == "true";
  }
  return out;
}

/// Returns whether a cell is one of data, which becomes a part of its row's line, rather than one that lays out a page.
bool is_data_cell(const lxb_dom_node& cell) noexcept {
  constexpr std::size_t kMaxBytes = 400;
  std::size_t bytes = 0, breaks = 0;
  for (const lxb_dom_node* child = cell.first_child; child != nullptr; child = child->next) {
    if (child->type == LXB_DOM_NODE_TYPE_TEXT) bytes += text_of(*child).size();
    if (child->type != LXB_DOM_NODE_TYPE_ELEMENT) continue;
    const Display display = traits_of(child->local_name).display;
    if (display == Display::kBlock) return false;
    breaks += display == Display::kBreak ? 1 : 0;
  }
  return bytes <= kMaxBytes && breaks <= 1;
}

/// Returns whether a style says `display: none` or `visibility: hidden`, with any white space.
bool is_styled_away(std::string_view style) {
  if (style.empty()) return false;
  std::string bare;
  for (const char c : style)
    if (!is_space(c)) bare += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view hidden : {"display:none", "visibility:hidden"})
    if (const std::size_t at = bare.find(hidden); at != std::string::npos && (at == 0 || bare[at - 1] == ';')) return true;
  return false;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

bool is_web_address(std::string_view url) noexcept { return url.starts_with("http://") || url.starts_with("https://"); }

class PageWalk {
 public:
  explicit PageWalk(Page& page) : page_(&page) {}

  void walk(const lxb_dom_node& document) {
    page_->sections.push_back({.kind = SectionKind::kRoot});
    const lxb_dom_node* node = &document;
    while (true) {
      if (node->first_child != nullptr && enter(*node)) {
        node = node->first_child;
        continue;
      }
      if (node->first_child == nullptr && enter(*node)) leave(*node);
      while (node != &document && node->next == nullptr) {
        node = node->parent;
        leave(*node);
      }
      if (node == &document) break;
      node = node->next;
    }
    end_block();
    close_section();
    if (page_->title.empty()) page_->title = !social_title_.empty() ? std::move(social_title_) : std::move(first_heading_);
    if (page_->language.empty()) page_->language = std::move(stated_language_);
    if (page_->url.empty()) page_->url = std::move(social_url_);
  }

 private:
  /// An element that `leave` has something to do for; `enter` answers whether its children are walked.
  struct Open {
    const lxb_dom_node* node;
    bool is_section = false, is_link = false, is_pre = false, is_list = false;
    std::int32_t number = 0;  ///< of the next item of an ordered list; 0: no numbers
  };

  bool enter(const lxb_dom_node& node) {
    if (node.type == LXB_DOM_NODE_TYPE_TEXT) {
      add_text(text_of(node));
      return true;
    }
    if (node.type != LXB_DOM_NODE_TYPE_ELEMENT) return node.type == LXB_DOM_NODE_TYPE_DOCUMENT;
    const auto tag = node.local_name;
    if (is_of_head(tag)) return read_head(node);
    const ElementTraits& traits = traits_of(tag);
    if (traits.display == Display::kSkipped) return false;
    if (traits.display == Display::kBreak) {
      add_break();
      return false;
    }
    const Attributes attributes = read_attributes(node);
    Naming naming = Naming::kNothing;
    if (!attributes.class_names.empty() || !attributes.id.empty()) naming = read_names(attributes.class_names, attributes.id);
    if (attributes.is_hidden || naming == Naming::kHidden || is_styled_away(attributes.style)) return false;
    if (tag == LXB_TAG_HTML) page_->language = trim(attributes.lang);
    if (!attributes.role.empty()) naming = std::max(naming, read_role(attributes.role));
    if (traits.display == Display::kInline)
      open_inline(node, attributes);
    else if (traits.display == Display::kCell && is_data_cell(node))
      cell_due_ = has_block_;
    else
      open_block(node, traits, naming);
    return true;
  }

  void leave(const lxb_dom_node& node) {
    if (open_.empty() || open_.back().node != &node) return;
    const Open open = open_.back();
    open_.pop_back();
    if (open.is_link) {
      link_depth_ -= 1;
      count_link();
    }
    if (open.is_pre) pre_depth_ -= 1;
    if (open.is_list) list_depth_ -= 1;
    if (!open.is_section) return;
    end_block();
    if (node.local_name == LXB_TAG_LI) marker_ = 0;
    if (first_heading_.empty() && node.local_name == LXB_TAG_H1) take_heading();
    close_section();
  }

  void open_inline(const lxb_dom_node& node, const Attributes& attributes) {
    if (node.local_name != LXB_TAG_A || attributes.href.empty()) return;
    if (link_depth_++ == 0) link_begin_ = page_->text.size();
    open_.push_back({.node = &node, .is_link = true});
  }

  void open_block(const lxb_dom_node& node, const ElementTraits& traits, Naming naming) {
    const auto tag = node.local_name;
    end_block();
    Open open{.node = &node, .is_section = true};
    if (traits.block == BlockKind::kPre) open.is_pre = true;
    if (open.is_pre) pre_depth_ += 1;
    if (tag == LXB_TAG_UL || tag == LXB_TAG_OL || tag == LXB_TAG_MENU || tag == LXB_TAG_DIR) {
      open.is_list = true;
      open.number = tag == LXB_TAG_OL ? 1 : 0;
      list_depth_ += 1;
    }
    if (tag == LXB_TAG_LI) marker_ = next_marker();
    open_.push_back(open);
    kinds_.push_back(traits.block);
    const auto parent = current_section_;
    current_section_ = static_cast<std::uint32_t>(page_->sections.size());
    page_->sections.push_back({.parent = parent, .first_block = static_cast<std::uint32_t>(page_->blocks.size()), .kind = traits.section, .naming = naming,
                               .has_heading = tag == LXB_TAG_H1 || tag == LXB_TAG_H2});
  }

  void close_section() {
    Section& section = page_->sections[current_section_];
    section.end_block = static_cast<std::uint32_t>(page_->blocks.size());
    if (!kinds_.empty()) kinds_.pop_back();
    if (current_section_ == 0) return;
    Section& parent = page_->sections[section.parent];
    parent.text_bytes += section.text_bytes;
    parent.link_bytes += section.link_bytes;
    parent.has_heading = parent.has_heading || section.has_heading;
    current_section_ = section.parent;
  }

  std::int32_t next_marker() {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open)
      if (open->is_list) return open->number == 0 ? -1 : open->number++;
    return -1;
  }

  void add_text(std::string_view text) {
    if (!has_block_) {
      if (is_blank(text)) return;
      begin_block();
    }
    if (pre_depth_ > 0) {
      page_->text.append(text);
      return;
    }
    if (cell_due_ && !is_blank(text)) {
      trim_end();
      page_->text += " | ";
      cell_due_ = space_ = false;
      line_begin_ = page_->text.size();
      if (link_depth_ > 0) link_begin_ = line_begin_;
    }
    append_folded(text, line_begin_, space_, page_->text);
  }

  void begin_block() {
    has_block_ = true;
    space_ = cell_due_ = false;
    block_ = {.begin = static_cast<std::uint32_t>(page_->text.size()), .section = current_section_, .marker = marker_};
    block_.kind = pre_depth_ > 0 ? BlockKind::kPre : kinds_.empty() ? BlockKind::kPlain : kinds_.back();
    if (list_depth_ > 0) block_.indent = static_cast<std::uint8_t>(std::min(list_depth_ - 1, 15));
    // What stands in an item of a list is a line of that list, be it in a paragraph or not.
    if (list_depth_ > 0 && (block_.kind == BlockKind::kParagraph || block_.kind == BlockKind::kPlain)) block_.kind = BlockKind::kListItem;
    marker_ = 0;
    line_begin_ = block_.begin;
    if (link_depth_ > 0) link_begin_ = block_.begin;
  }

  void end_block() {
    if (!has_block_) return;
    if (link_depth_ > 0) count_link();
    has_block_ = false;
    trim_end();
    block_.end = static_cast<std::uint32_t>(page_->text.size());
    block_.link_bytes = std::min(block_.link_bytes, block_.bytes());
    if (block_.bytes() == 0) return;
    Section& section = page_->sections[block_.section];
    section.text_bytes += block_.bytes();
    section.link_bytes += block_.link_bytes;
    page_->blocks.push_back(block_);
  }

  void trim_end() {
    std::string& text = page_->text;
    while (text.size() > block_.begin && is_space(text.back())) text.pop_back();
  }

  /// One break ends a line, two end the block, as pages did before they had paragraphs.
  void add_break() {
    if (!has_block_) return;
    std::string& text = page_->text;
    if (pre_depth_ > 0) {
      text += '\n';
      return;
    }
    if (line_begin_ == text.size()) {
      end_block();
      return;
    }
    text += '\n';
    line_begin_ = text.size();
    space_ = false;
  }

  void count_link() {
    if (!has_block_) return;
    block_.link_bytes += static_cast<std::uint32_t>(page_->text.size() - std::min(page_->text.size(), link_begin_));
    link_begin_ = page_->text.size();
  }

  void take_heading() {
    if (page_->blocks.empty() || page_->blocks.back().section != current_section_) return;
    const Block& block = page_->blocks.back();
    first_heading_ = page_->text.substr(block.begin, block.bytes());
    std::replace(first_heading_.begin(), first_heading_.end(), '\n', ' ');
  }

  static bool is_of_head(std::uintptr_t tag) noexcept { return tag == LXB_TAG_TITLE || tag == LXB_TAG_META || tag == LXB_TAG_LINK; }

  /// Never walks on.
  bool read_head(const lxb_dom_node& node) {
    if (node.local_name == LXB_TAG_TITLE) {
      if (page_->title.empty() && node.ns == LXB_NS_HTML && node.first_child != nullptr) page_->title = folded(text_of(*node.first_child));
      return false;
    }
    const Attributes attributes = read_attributes(node);
    if (node.local_name == LXB_TAG_LINK) {
      if (page_->url.empty() && equals_ignoring_case(trim(attributes.rel), "canonical") && is_web_address(trim(attributes.href))) page_->url = trim(attributes.href);
      return false;
    }
    const std::string_view property = attributes.property.empty() ? attributes.name : attributes.property;
    if (property == "og:title" && social_title_.empty()) social_title_ = folded(attributes.content);
    if (property == "og:url" && social_url_.empty() && is_web_address(trim(attributes.content))) social_url_ = trim(attributes.content);
    if ((property == "og:locale" || equals_ignoring_case(attributes.http_equiv, "content-language")) && stated_language_.empty()) stated_language_ = trim(attributes.content);
    return false;
  }

  Page* page_;
  std::vector<Open> open_;
  std::vector<BlockKind> kinds_;  ///< of the open sections but the first
  std::uint32_t current_section_ = 0;
  Block block_;
  bool has_block_ = false, space_ = false, cell_due_ = false;
  std::int32_t marker_ = 0;
  int link_depth_ = 0, pre_depth_ = 0, list_depth_ = 0;
  std::size_t link_begin_ = 0, line_begin_ = 0;
  std::string social_title_, social_url_, stated_language_, first_heading_;
};

}  // namespace

void read_page(const lxb_dom_node* document, Page& page) {
  page = {};
  PageWalk(page).walk(*document);
}

}  // namespace flowrun::filters::html
