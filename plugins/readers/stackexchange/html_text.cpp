#include "html_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "readers/common/html_entities.hpp"

namespace flowrun::readers {
namespace {

enum class Element : std::uint8_t { kInline, kParagraph, kList, kItem, kLine, kBreak, kCell, kPre, kHidden };

struct KnownElement {
  std::string_view name;
  Element element;
};

/// Elements that are not here are inline.
constexpr KnownElement kElements[] = {
    {"article", Element::kParagraph}, {"aside", Element::kParagraph},      {"blockquote", Element::kParagraph}, {"br", Element::kBreak},
    {"center", Element::kParagraph},  {"dd", Element::kLine},              {"details", Element::kParagraph},    {"div", Element::kParagraph},
    {"dl", Element::kParagraph},      {"dt", Element::kLine},              {"figure", Element::kParagraph},     {"h1", Element::kParagraph},
    {"h2", Element::kParagraph},      {"h3", Element::kParagraph},         {"h4", Element::kParagraph},         {"h5", Element::kParagraph},
    {"h6", Element::kParagraph},      {"hr", Element::kParagraph},         {"li", Element::kItem},              {"ol", Element::kList},
    {"p", Element::kParagraph},       {"pre", Element::kPre},              {"script", Element::kHidden},        {"section", Element::kParagraph},
    {"style", Element::kHidden},      {"summary", Element::kParagraph},    {"table", Element::kParagraph},      {"td", Element::kCell},
    {"th", Element::kCell},           {"tr", Element::kLine},              {"ul", Element::kList},
};
static_assert(std::is_sorted(std::begin(kElements), std::end(kElements), [](const KnownElement& a, const KnownElement& b) { return a.name < b.name; }));

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kMaxListDepth = 32;
constexpr std::size_t kLongestName = 10;  // blockquote

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_name(char c) noexcept { return is_letter(c) || (c >= '0' && c <= '9'); }
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct HtmlTag {
  Element element = Element::kInline;
  bool closing = false, ordered = false;
  std::string_view name;
  std::size_t size = 0;  ///< 0: there is none
};

Element element_of(std::string_view name) noexcept {
  if (name.size() > kLongestName) return Element::kInline;
  std::string key(name);
  std::transform(key.begin(), key.end(), key.begin(), lower);
  const auto* found = std::lower_bound(std::begin(kElements), std::end(kElements), key, [](const KnownElement& known, std::string_view text) { return known.name < text; });
  return found != std::end(kElements) && found->name == key ? found->element : Element::kInline;
}

class HtmlText {
 public:
  HtmlText(std::string_view html, std::string& out) : html_(html), out_(&out), begin_(out.size()) {}

  void run() {
    while (at_ < html_.size()) {
      const std::size_t end = std::min(html_.find_first_of("<&", at_), html_.size());
      text(html_.substr(at_, end - at_));
      at_ = end;
      if (at_ == html_.size()) break;
      if (html_[at_] == '&') entity();
      else angle();
    }
  }

 private:
  // ---- output

  /// Asks for at least so many line ends before the next text.
  void part(std::size_t lines) {
    lines_ = std::max(lines_, lines);
    space_ = false;
  }

  /// Writes what was asked for before the next text.
  void flush() {
    if (out_->size() > begin_) out_->append(lines_, '\n');
    if (space_ && lines_ == 0 && out_->size() > begin_ && out_->back() != '\n' && out_->back() != '\t') *out_ += ' ';
    if (!marker_.empty()) *out_ += marker_;
    marker_.clear();
    lines_ = 0;
    space_ = false;
  }

  void text(std::string_view text) {
    if (pre_) return write_code(text);
    while (!text.empty()) {
      const auto* word_end = std::find_if(text.begin(), text.end(), is_space);
      const auto size = static_cast<std::size_t>(word_end - text.begin());
      if (size > 0) {
        flush();
        out_->append(text, 0, size);
        text.remove_prefix(size);
        continue;
      }
      space_ = true;
      text.remove_prefix(static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_space) - text.begin()));
    }
  }

  /// Code keeps its white space; line ends at its beginning and end go.
  void write_code(std::string_view code) {
    for (const char c : code) {
      if (c == '\n') {
        ++code_lines_;
        continue;
      }
      if (c == '\r') continue;
      if (code_begun_) out_->append(code_lines_, '\n');
      else flush();
      code_begun_ = true;
      code_lines_ = 0;
      *out_ += c;
    }
  }

  // ---- markup

  void entity() {
    scratch_.clear();
    const std::size_t size = decode_entity(html_.substr(at_), scratch_);
    if (size == 0) {
      text(html_.substr(at_++, 1));
      return;
    }
    at_ += size;
    text(scratch_);
  }

  void angle() {
    if (html_.substr(at_).starts_with("<!--")) return comment();
    const HtmlTag tag = read_tag();
    if (tag.size == 0) {
      text(html_.substr(at_++, 1));
      return;
    }
    at_ += tag.size;
    apply(tag);
  }

  void comment() {
    const std::size_t end = no_comment_end_ ? kNone : html_.find("-->", at_ + 4);
    no_comment_end_ = end == kNone;
    at_ = end == kNone ? at_ + 4 : end + 3;
  }

  HtmlTag read_tag() {
    HtmlTag tag;
    tag.closing = at_ + 1 < html_.size() && html_[at_ + 1] == '/';
    const std::size_t begin = at_ + (tag.closing ? 2 : 1);
    if (begin >= html_.size() || !is_letter(html_[begin])) return tag;
    const auto* name_end = std::find_if_not(html_.begin() + static_cast<std::ptrdiff_t>(begin), html_.end(), is_name);
    tag.name = html_.substr(begin, static_cast<std::size_t>(name_end - html_.begin()) - begin);
    const std::size_t end = tag_end(begin + tag.name.size());
    if (end == kNone) return tag;
    tag.element = element_of(tag.name);
    tag.ordered = tag.element == Element::kList && lower(tag.name.front()) == 'o';
    tag.size = end + 1 - at_;
    return tag;
  }

  /// Returns where the tag's '>' is. One in quotes does not count, as long as quotes are closed: a search that fails is not made again.
  std::size_t tag_end(std::size_t from) {
    if (no_tag_end_) return kNone;
    if (!bad_quotes_) {
      char quote = '\0';
      for (std::size_t i = from; i < html_.size(); ++i) {
        const char c = html_[i];
        if (quote != '\0') quote = c == quote ? '\0' : quote;
        else if (c == '>') return i;
        else if (c == '"' || c == '\'') quote = c;
      }
      bad_quotes_ = true;
    }
    const std::size_t end = html_.find('>', from);
    no_tag_end_ = end == kNone;
    return end;
  }

  void apply(const HtmlTag& tag) {
    switch (tag.element) {
      case Element::kParagraph: return part(paragraph_lines());
      case Element::kLine: return part(1);
      case Element::kBreak:
        if (pre_) return write_code("\n");
        space_ = false;
        if (out_->size() > begin_) ++lines_;
        return;
      case Element::kCell: return cell(tag);
      case Element::kList: return list(tag);
      case Element::kItem: return item(tag);
      case Element::kPre: return preformatted(tag);
      case Element::kHidden: return hide(tag);
      default: return;
    }
  }

  /// Goes to the end of a script or style. What nothing closes is not hidden, so that no text is lost.
  void hide(const HtmlTag& tag) {
    const bool script = lower(tag.name[1]) == 'c';
    bool& unclosed = script ? no_script_end_ : no_style_end_;
    if (tag.closing || unclosed) return;
    const std::size_t end = html_.find(script ? "</script" : "</style", at_);
    unclosed = end == kNone;
    if (!unclosed) at_ = end;
  }

  /// Paragraphs of an item follow each other without blank lines, so that a list stays together; its first one stands behind the mark.
  std::size_t paragraph_lines() const noexcept { return !marker_.empty() ? 0 : lists_.empty() ? 2 : 1; }

  void cell(const HtmlTag& tag) {
    if (tag.closing || lines_ > 0 || out_->size() == begin_ || out_->back() == '\n') return;
    flush();
    *out_ += '\t';
  }

  void list(const HtmlTag& tag) {
    if (tag.closing) {
      if (!lists_.empty()) lists_.pop_back();
      marker_.clear();
      return part(lists_.empty() ? 2 : 1);
    }
    part(lists_.empty() ? 2 : 1);
    if (lists_.size() < kMaxListDepth) lists_.push_back(tag.ordered ? 1 : 0);
  }

  void item(const HtmlTag& tag) {
    part(1);
    marker_.clear();
    if (tag.closing) return;
    if (!lists_.empty()) marker_.assign(2 * (lists_.size() - 1), ' ');
    if (!lists_.empty() && lists_.back() > 0) marker_ += std::to_string(lists_.back()++) + ". ";
    else marker_ += "- ";
  }

  void preformatted(const HtmlTag& tag) {
    part(2);
    pre_ = !tag.closing;
    code_begun_ = false;
    code_lines_ = 0;
  }

  std::string_view html_;
  std::string* out_;
  std::size_t begin_;  ///< of this text in out_
  std::size_t at_ = 0;
  std::size_t lines_ = 0;  ///< line ends before the next text
  bool space_ = false;     ///< white space before the next text
  std::string marker_;     ///< of an item that has no text yet
  std::vector<std::int64_t> lists_;  ///< open lists: the next number, 0 for bullets
  bool pre_ = false, code_begun_ = false;
  std::size_t code_lines_ = 0;
  bool no_script_end_ = false, no_style_end_ = false, no_comment_end_ = false, bad_quotes_ = false, no_tag_end_ = false;
  std::string scratch_;
};

}  // namespace

void append_html_text(std::string_view html, std::string& out) { HtmlText(html, out).run(); }

}  // namespace flowrun::readers
