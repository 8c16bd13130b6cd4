#pragma once

// The XML of MediaWiki's dumps (https://www.mediawiki.org/xml/export-0.11.xsd, 0.10 alike): what stands before the pages, and one page.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "readers/common/xml_parser.hpp"

namespace flowrun::readers {

/// What a dump says about its wiki.
struct WikiSite {
  std::string language;                      ///< of its content, "" where it is not said
  std::vector<std::string> hidden_prefixes;  ///< its names of files, media and categories
};

/// A page with its last revision.
struct WikiPage {
  std::string title, timestamp, model, text;
  std::int64_t id = 0, name_space = 0;
  bool redirect = false;
};

/// Why XML is refused.
struct WikiFault {
  const char* code = "";  ///< "bad_xml", "bad_utf8", "bad_page"
  std::string message;
};

/// Reads the XML of dumps, piece by piece. Memory: the page and its text.
class WikiXml {
 public:
  /// Reads what a dump begins with, up to its first page. `site` has what could be read.
  std::optional<WikiFault> read_site(std::string_view xml, WikiSite& site);
  /// Reads a <page> element. Of several revisions the last one in the file counts.
  std::optional<WikiFault> read_page(std::string_view xml, WikiPage& page);

 private:
  XmlParser parser_;
};

}  // namespace flowrun::readers
