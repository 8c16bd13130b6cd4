#include "canonical.hpp"

#include <algorithm>
#include <cstddef>

#include "readers/common/charset/markup.hpp"
#include "readers/common/html_entities.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kHeadBytes = 64 << 10;

void drop_behind(std::string_view& text, std::size_t at, std::size_t size) noexcept {
  text.remove_prefix(at == std::string_view::npos ? text.size() : std::min(at + size, text.size()));
}

bool has_word(std::string_view list, std::string_view word) noexcept {
  while (!list.empty()) {
    drop(list, kBlanks);
    const std::string_view first = list.substr(0, list.find_first_of(kBlanks));
    if (equal_ignoring_case(first, word)) return true;
    list.remove_prefix(first.size());
  }
  return false;
}

std::string decoded(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const std::size_t used = value[0] == '&' ? decode_entity(value, out) : 0;
    if (used == 0) out += value[0];
    value.remove_prefix(std::max<std::size_t>(used, 1));
  }
  return out;
}

/// Takes the attributes of a <link> off `text` and returns its address where it is the one.
std::string take_link(std::string_view& text) {
  std::string_view rel, href;
  Attribute attribute;
  while (take_attribute(text, attribute)) {
    if (rel.empty() && equal_ignoring_case(attribute.name, "rel")) rel = attribute.value;
    if (href.empty() && equal_ignoring_case(attribute.name, "href")) href = attribute.value;
  }
  drop(href, kBlanks);
  href = href.substr(0, href.find_last_not_of(kBlanks) + 1);
  const bool is_absolute = starts_ignoring_case(href, "http://") || starts_ignoring_case(href, "https://");
  return is_absolute && has_word(rel, "canonical") ? decoded(href) : std::string();
}

bool begins_tag(std::string_view text, std::string_view name) noexcept {
  return starts_ignoring_case(text, name) && text.size() > name.size() && is_one_of(text[name.size()], "\t\n\f\r />");
}

}  // namespace

std::string canonical_url(std::string_view page) {
  std::string_view text = page.substr(0, kHeadBytes);
  while (true) {
    text.remove_prefix(std::min(text.find('<'), text.size()));
    if (text.size() < 2 || begins_tag(text, "<body")) return {};
    if (text.starts_with("<!--")) {
      drop_behind(text, text.find("-->", 2), 3);
    } else if (begins_tag(text, "<script")) {
      drop_behind(text, find_ignoring_case(text, "</script"), 8);
    } else if (begins_tag(text, "<style")) {
      drop_behind(text, find_ignoring_case(text, "</style"), 7);
    } else if (begins_tag(text, "<link")) {
      text.remove_prefix(5);
      if (std::string url = take_link(text); !url.empty()) return url;
    } else if (is_letter(text[1])) {
      take_tag(text);
    } else {
      text.remove_prefix(1);
    }
  }
}

}  // namespace flowrun::readers
