#pragma once

// From the HTML of a page to its text.

#include <cstddef>
#include <string>
#include <string_view>

#include "guarded_parser.hpp"
#include "heads.hpp"
#include "page.hpp"

namespace flowrun::filters::html {

struct ExtractionLimits {
  std::size_t max_bytes = 0;  ///< of HTML
  ParserLimits parser;
};

/// Why a page gives no text: a name, and what it has where that is known, with what it may have.
struct PageFault {
  const char* reason = nullptr;  ///< nullptr: none
  double value = 0, threshold = 0;
};

/// Extracts texts of pages, one at a time. Threads: one call at a time.
class Extraction {
 public:
  Extraction(const ExtractionLimits& limits, Head head) : limits_(limits), head_(head), parser_(limits.parser) {}
  /// Reads a page, of which `text` and `page` then tell.
  PageFault read(std::string_view html);
  const std::string& text() const noexcept { return text_; }
  const Page& page() const noexcept { return page_; }

 private:
  const ExtractionLimits limits_;
  const Head head_;
  GuardedParser parser_;
  Page page_;
  std::string text_;
};

}  // namespace flowrun::filters::html
