#pragma once

// Pages made to cost a parser more than they should: for tests, and seeds of the fuzzer.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::filters::html {

inline std::string repeated(std::string_view part, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

/// Repeats a text in which '#' becomes a number, until it has `bytes`.
inline std::string numbered(std::string_view part, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; out.size() < bytes; ++i)
    for (const char c : part) c == '#' ? void(out += std::to_string(i)) : out.push_back(c);
  return out;
}

/// Returns pages of about `bytes` each, by name.
inline std::vector<std::pair<std::string, std::string>> hostile_pages(std::size_t bytes) {
  const std::size_t half = bytes / 2;
  const std::string formats = numbered("<b id=#>", 20000), text(bytes, 'x');
  return {{"divs", repeated("<div>", bytes / 5)},
          {"formatting", numbered("<b id=#>", bytes)},
          {"crossed", repeated("<b><i>x</b>y</i>", bytes / 16)},
          {"crossed_nested", repeated("<b><i>", half / 6) + repeated("</b></i>", half / 8)},
          {"reopened", formats + repeated("</div><p>x", half / 10)},
          {"reopened_by_blocks", repeated("<p>", 1) + numbered("<i id=#>", 8000) + repeated("</p><p>x", bytes / 8)},
          {"links", repeated("<a><div>", bytes / 8)},
          {"adoption", formats + repeated("<div>x</b>", half / 10)},
          {"attributes_of_one", "<p" + numbered(" a#=b", bytes) + ">x"},
          {"attribute_names", numbered("<p a#=b>x", bytes)},
          {"attributes_of_body", numbered("<body a#=b>", half) + repeated("<body zz>", half / 9)},
          {"tag_names", numbered("<t#>x</t#>", bytes)},
          {"few_names_again", numbered("<p a#>", 20000) + repeated("<p a1 a2 a3 a4 a5>", bytes / 18)},
          {"growing_text", repeated("a</x>", bytes / 5)},
          {"growing_text_moved", repeated("a</x y=z>", bytes / 9)},
          {"fostered_text", "<table>" + repeated("a</x y=z>", bytes / 9)},
          {"nested_tables", repeated("<table><tr><td>", bytes / 15)},
          {"tables_in_tables", repeated("<table>x", bytes / 8)},
          {"options", "<select>" + repeated("<option>x", bytes / 9)},
          {"list_items", repeated("<ul><li>x", bytes / 9)},
          {"unclosed", repeated("<p>x<span>y<em>z", bytes / 16)},
          {"closed_only", formats + repeated("</x>", half / 4)},
          {"headings", repeated("<h1>x", bytes / 5)},
          {"buttons", repeated("<button><p>", bytes / 11)},
          {"svg", repeated("<svg><desc>", bytes / 11)},
          {"math", repeated("<math><mi>x", bytes / 11)},
          {"templates", repeated("<template>", bytes / 10)},
          {"one_text", text},
          {"one_attribute", "<p id='" + text + "'>x"},
          {"one_tag", "<" + text},
          {"one_comment", "<!--" + text},
          {"comments", repeated("<!---->", bytes / 7)},
          {"entities", repeated("&CounterClockwiseContourIntegral;&amp", bytes / 37)},
          {"ampersands", repeated("&", bytes)},
          {"zeros", std::string(bytes, '\0')},
          {"zeros_in_tags", repeated(std::string_view("<p a\0=\0>\0", 10), bytes / 10)},
          {"angles", repeated("<", bytes)},
          {"script", "<script>" + repeated("<!--<script>", bytes / 12)},
          {"class_words", "<p class='" + repeated("nav-", bytes / 4) + "'>x"},
          {"styles", repeated("<p style='display:block'>x", bytes / 26)},
          {"cells", "<table><tr>" + repeated("<td>x", bytes / 5)},
          {"breaks", "x" + repeated("<br>", bytes / 4)}};
}

}  // namespace flowrun::filters::html
