#include "naming.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace flowrun::filters::html {
namespace {

struct Word {
  std::string_view text;
  Naming naming;
};

constexpr Naming kB = Naming::kBoilerplate, kC = Naming::kContent, kH = Naming::kHidden;

/// In the order of bytes. What sites call the parts of a page: after the lists of Readability (Arc90, Mozilla), trafilatura and Resiliparse, as words rather than patterns.
constexpr std::array kWords = {
    Word{"ad", kB}, Word{"ads", kB}, Word{"advert", kB}, Word{"advertisement", kB}, Word{"advertising", kB}, Word{"article", kC}, Word{"banner", kB},
    Word{"body", kC}, Word{"breadcrumb", kB}, Word{"breadcrumbs", kB}, Word{"byline", kB}, Word{"comment", kB}, Word{"comments", kB}, Word{"consent", kB},
    Word{"content", kC}, Word{"cookie", kB}, Word{"cookies", kB}, Word{"copyright", kB}, Word{"disqus", kB}, Word{"dropdown", kB}, Word{"editsection", kH},
    Word{"entry", kC}, Word{"follow", kB}, Word{"footer", kB}, Word{"headerlink", kH}, Word{"legal", kB}, Word{"lightbox", kB}, Word{"login", kB},
    Word{"main", kC}, Word{"masthead", kB}, Word{"menu", kB}, Word{"menubar", kB}, Word{"modal", kB}, Word{"nav", kB}, Word{"navbar", kB},
    Word{"navfooter", kB}, Word{"navheader", kB}, Word{"navigation", kB}, Word{"navpanel", kB}, Word{"newsletter", kB}, Word{"noprint", kB}, Word{"pager", kB},
    Word{"pagination", kB}, Word{"permalink", kH}, Word{"popular", kB}, Word{"popup", kB}, Word{"post", kC}, Word{"promo", kB}, Word{"recommended", kB},
    Word{"related", kB}, Word{"reply", kB}, Word{"search", kB}, Word{"searchbox", kB}, Word{"share", kB}, Word{"sharing", kB}, Word{"sidebar", kB},
    Word{"signin", kB}, Word{"signup", kB}, Word{"skip", kB}, Word{"skiplink", kB}, Word{"social", kB}, Word{"sphinxsidebar", kB}, Word{"sponsor", kB},
    Word{"sponsored", kB}, Word{"sronly", kH}, Word{"story", kC}, Word{"subscribe", kB}, Word{"text", kC}, Word{"toolbar", kB}, Word{"trending", kB},
    Word{"widget", kB}};
static_assert(std::is_sorted(kWords.begin(), kWords.end(), [](const Word& a, const Word& b) { return a.text < b.text; }));

constexpr std::size_t kLongestWord = 16;

/// Words that make what they stand before the property of another element, as in "has-sidebar".
bool is_about_another(std::string_view word) noexcept {
  return word == "has" || word == "no" || word == "with" || word == "without" || word == "hide" || word == "js" || word == "non";
}

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

Naming naming_of(std::string_view word) noexcept {
  const auto it = std::lower_bound(kWords.begin(), kWords.end(), word, [](const Word& entry, std::string_view text) { return entry.text < text; });
  return it != kWords.end() && it->text == word ? it->naming : Naming::kNothing;
}

Naming stronger(Naming a, Naming b) noexcept { return std::max(a, b); }

/// A word in lower case; longer ones are none that is known.
class WordBuffer {
 public:
  void append(char c) noexcept {
    if (size_ < bytes_.size()) bytes_[size_] = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    ++size_;
  }
  std::string_view text() const noexcept { return size_ <= kLongestWord ? std::string_view(bytes_.data(), size_) : std::string_view(); }
  bool is_empty() const noexcept { return size_ == 0; }
  void clear() noexcept { size_ = 0; }

 private:
  std::array<char, kLongestWord> bytes_{};
  std::size_t size_ = 0;
};

Naming read_words(std::string_view names) noexcept {
  Naming found = Naming::kNothing;
  bool about_another = false;
  WordBuffer word;
  const auto end_word = [&] {
    if (word.is_empty()) return;
    if (is_about_another(word.text()))
      about_another = true;
    else if (!about_another)
      found = stronger(found, naming_of(word.text()));
    word.clear();
  };
  char before = ' ';
  for (const char c : names) {
    if (!is_lower(c) && !is_digit(c) && !(is_upper(c) && !is_lower(before))) end_word();
    if (is_space(c)) about_another = false;
    if (is_lower(c) || is_upper(c) || is_digit(c)) word.append(c);
    before = c;
  }
  end_word();
  return found;
}

/// Names of several words for what only screen readers see. ("hidden" alone is none: "overflow-hidden", "hidden md:block".)
bool is_for_screen_readers(std::string_view class_names) noexcept {
  for (const std::string_view name : {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text"})
    if (class_names.find(name) != std::string_view::npos) return true;
  return false;
}

}  // namespace

Naming read_names(std::string_view class_names, std::string_view id) noexcept {
  if (is_for_screen_readers(class_names)) return Naming::kHidden;
  return stronger(read_words(class_names), read_words(id));
}

Naming read_role(std::string_view role) noexcept {
  for (const std::string_view known : {"alert", "alertdialog", "banner", "complementary", "contentinfo", "dialog", "menu", "menubar", "navigation", "search", "tablist", "toolbar",
                                       "tooltip"})
    if (role == known) return Naming::kBoilerplate;
  return role == "main" || role == "article" ? Naming::kContent : Naming::kNothing;
}

}  // namespace flowrun::filters::html
