#include "guarded_parser.hpp"

#include <flowrun/error.hpp>
#include <lexbor/dom/interfaces/character_data.h>
#include <lexbor/html/html.h>
#include <lexbor/html/tree.h>
#include <lexbor/html/tree/insertion_mode.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace flowrun::filters::html {
namespace {

// The tables of names are looked at between chunks. A chunk of this size has 4,000 names at most.
constexpr std::size_t kChunkBytes = 16 << 10;
constexpr std::size_t kCopiedBytesPerStep = 4;
constexpr std::size_t kNamesPerStep = 4;

constexpr auto kKeptAttributes = [] {
  std::array<bool, LXB_DOM_ATTR__LAST_ENTRY> kept{};
  for (const auto id : {LXB_DOM_ATTR_CLASS, LXB_DOM_ATTR_CONTENT, LXB_DOM_ATTR_HREF, LXB_DOM_ATTR_HTTP_EQUIV, LXB_DOM_ATTR_ID, LXB_DOM_ATTR_LANG, LXB_DOM_ATTR_REL,
                        LXB_DOM_ATTR_STYLE, LXB_DOM_ATTR_TYPE})
    kept[id] = true;
  return kept;
}();

bool is_kept(const lxb_dom_attr_data_t& name) noexcept {
  if (name.attr_id < kKeptAttributes.size()) return kKeptAttributes[name.attr_id];
  const std::string_view text(reinterpret_cast<const char*>(lexbor_hash_entry_str(&name.entry)), name.entry.length);
  return text == "hidden" || text == "role" || text == "aria-hidden" || text == "property" || text == "name" || text == "xml:lang";
}

bool is_table_part(const lxb_dom_node_t& node) noexcept {
  const auto tag = node.local_name;
  return tag == LXB_TAG_TABLE || tag == LXB_TAG_TBODY || tag == LXB_TAG_TFOOT || tag == LXB_TAG_THEAD || tag == LXB_TAG_TR;
}

}  // namespace

class GuardedParser::Guard {
 public:
  explicit Guard(const ParserLimits& limits) : limits_(limits) {
    parser_ = lxb_html_parser_create();
    if (parser_ == nullptr || lxb_html_parser_init(parser_) != LXB_STATUS_OK) {
      lxb_html_parser_destroy(parser_);
      throw Error(Code::kOutOfMemory, "no memory for an HTML parser");
    }
    // As browsers that run scripts: what stands in <noscript> is no elements.
    lxb_html_parser_scripting_set(parser_, true);
    // Without events: they keep selects and options as scripts would see them, at a cost that grows with their square.
    lxb_html_parser_dom_opt_set(parser_, LXB_DOM_DOCUMENT_OPT_WO_EVENTS);
    const auto callback = [](lxb_html_tokenizer_t*, lxb_html_token_t* token, void* self) { return static_cast<Guard*>(self)->take(token); };
    lxb_html_tokenizer_callback_token_done_set(parser_->tkz, callback, this);
  }
  ~Guard() {
    lxb_html_document_destroy(document_);
    lxb_html_parser_destroy(parser_);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  ParsedPage parse(std::string_view html) {
    lxb_html_document_destroy(document_);
    steps_ = 0;
    met_ = ParserLimit::kNone;
    document_ = lxb_html_parse_chunk_begin(parser_);
    if (document_ == nullptr) throw Error(Code::kOutOfMemory, "no memory for an HTML document");
    lxb_status_t status = LXB_STATUS_OK;
    for (std::size_t at = 0; at < html.size() && status == LXB_STATUS_OK; at += kChunkBytes) {
      const std::string_view chunk = html.substr(at, kChunkBytes);
      status = lxb_html_parse_chunk_process(parser_, reinterpret_cast<const lxb_char_t*>(chunk.data()), chunk.size());
      lexbor_array_obj_clean(parser_->tkz->parse_errors);
      if (status == LXB_STATUS_OK && names() > kMaxNames) status = stop(ParserLimit::kNames);
    }
    if (status == LXB_STATUS_OK) status = lxb_html_parse_chunk_end(parser_);
    if (met_ != ParserLimit::kNone) return {nullptr, met_};
    if (status == LXB_STATUS_ERROR_MEMORY_ALLOCATION) throw Error(Code::kOutOfMemory, "no memory for an HTML document");
    if (status != LXB_STATUS_OK) throw Error(Code::kInternal, "Lexbor ends with status " + std::to_string(status));
    return {lxb_dom_interface_node(document_), met_};
  }

 private:
  lxb_html_tree_t& tree() const noexcept { return *parser_->tree; }
  std::size_t depth() const noexcept { return tree().open_elements->length; }
  std::size_t formatting() const noexcept { return tree().active_formatting->length; }
  std::size_t looked_at() const noexcept { return depth() + formatting(); }
  std::size_t names() const noexcept { return lexbor_hash_entries_count(document_->dom_document.tags) + lexbor_hash_entries_count(document_->dom_document.attrs); }
  std::size_t nodes() const noexcept { return document_->dom_document.mraw->ref_count; }

  lxb_status_t stop(ParserLimit limit) noexcept {
    met_ = limit;
    return LXB_STATUS_STOP;
  }

  /// Takes one token of the tokenizer to the tree. Returns nullptr to end parsing.
  lxb_html_token_t* take(lxb_html_token_t* token) {
    if (is_left_out(*token)) return token;
    steps_ += own_names(*token) * (1 + names() / kNamesPerStep);
    const std::size_t attributes = keep_attributes(*token), nodes_before = nodes(), open_before = looked_at();
    steps_ += token->tag_id == LXB_TAG__TEXT ? steps_of_text() : 1 + open_before + attributes * (attributes + formatting());
    const bool may_adopt = is_formatting(*token);
    while (!lxb_html_tree_construction_dispatcher(&tree(), token)) {
    }
    lexbor_array_obj_clean(tree().parse_errors);
    // What a token makes beyond its own element, text, attributes and their values are copies of formatting elements, each found among the open ones; and so is each that
    // the adoption agency algorithm takes away.
    const std::size_t made = nodes() - std::min(nodes(), nodes_before), own = 1 + 2 * attributes;
    if (made > own) steps_ += (made - own) * (1 + looked_at());
    if (may_adopt && looked_at() < open_before) steps_ += (open_before - looked_at()) * open_before;
    return is_within_limits() ? token : nullptr;
  }

  bool is_within_limits() noexcept {
    lxb_status_t status = tree().status;
    if (status == LXB_STATUS_OK && depth() > limits_.max_depth) status = stop(ParserLimit::kDepth);
    if (status == LXB_STATUS_OK && nodes() > limits_.max_nodes) status = stop(ParserLimit::kNodes);
    if (status == LXB_STATUS_OK && steps_ > limits_.max_steps) status = stop(ParserLimit::kSteps);
    parser_->tkz->status = status;
    return status == LXB_STATUS_OK;
  }

  bool is_left_out(const lxb_html_token_t& token) const noexcept {
    if (token.tag_id == LXB_TAG__EM_COMMENT) return true;
    if (token.tag_id != LXB_TAG__TEXT || tree().mode != lxb_html_tree_insertion_mode_text) return false;
    const lxb_dom_node_t* node = lxb_html_tree_current_node(&tree());
    return node != nullptr && (node->local_name == LXB_TAG_SCRIPT || node->local_name == LXB_TAG_STYLE);
  }

  /// Returns how many of its names the standard does not have: they are looked for among all of that kind, in one list where an attacker wants it.
  static std::size_t own_names(const lxb_html_token_t& token) noexcept {
    std::size_t count = token.tag_id >= LXB_TAG__LAST_ENTRY ? 1 : 0;
    for (const lxb_html_token_attr_t* attribute = token.attr_first; attribute != nullptr; attribute = attribute->next)
      count += attribute->name != nullptr && attribute->name->attr_id >= LXB_DOM_ATTR__LAST_ENTRY ? 1 : 0;
    return count;
  }

  /// Leaves the token the attributes that mean something here, and returns how many.
  std::size_t keep_attributes(lxb_html_token_t& token) noexcept {
    std::size_t kept = 0;
    for (lxb_html_token_attr_t *attribute = token.attr_first, *next = nullptr; attribute != nullptr; attribute = next) {
      next = attribute->next;
      if (attribute->name != nullptr && kept < kKeptAttributes.size() && is_kept(*attribute->name))
        ++kept;
      else
        lxb_html_token_attr_delete(&token, attribute, parser_->tkz->dobj_token_attr);
    }
    return kept;
  }

  static bool is_formatting(const lxb_html_token_t& token) noexcept {
    return token.tag_id < LXB_TAG__LAST_ENTRY && lxb_html_tag_is_category(token.tag_id, LXB_NS_HTML, LXB_HTML_TAG_CATEGORY_FORMATTING);
  }

  /// A text that comes to one that is there may copy it, and its old place goes to a list of free ones that is looked through.
  std::size_t steps_of_text() const noexcept {
    const std::size_t there = bytes_of_text_that_grows();
    return 1 + (there == 0 ? 0 : there / kCopiedBytesPerStep + document_->dom_document.text->cache->tree_length);
  }

  std::size_t bytes_of_text_that_grows() const noexcept {
    lxb_dom_node_t* place = lxb_html_tree_current_node(&tree());
    if (place == nullptr) return 0;
    lxb_html_tree_insertion_position_t position = LXB_HTML_TREE_INSERTION_POSITION_CHILD;
    if (is_table_part(*place)) {
      // "Foster parenting": text in a table, but not in a cell, goes before the table.
      const bool foster_parenting = std::exchange(tree().foster_parenting, true);
      place = lxb_html_tree_appropriate_place_inserting_node(&tree(), nullptr, &position);
      tree().foster_parenting = foster_parenting;
      if (place == nullptr) return 0;
    }
    lxb_dom_node_t* text = position == LXB_HTML_TREE_INSERTION_POSITION_BEFORE ? place->prev : place->last_child;
    return text != nullptr && text->local_name == LXB_TAG__TEXT ? lxb_dom_interface_character_data(text)->data.length : 0;
  }

  const ParserLimits limits_;
  lxb_html_parser_t* parser_ = nullptr;
  lxb_html_document_t* document_ = nullptr;
  std::size_t steps_ = 0;
  ParserLimit met_ = ParserLimit::kNone;
};

GuardedParser::GuardedParser(const ParserLimits& limits) : guard_(std::make_unique<Guard>(limits)) {}
GuardedParser::~GuardedParser() = default;

ParsedPage GuardedParser::parse(std::string_view html) { return guard_->parse(html); }

}  // namespace flowrun::filters::html
