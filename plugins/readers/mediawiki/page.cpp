#include "page.hpp"

#include <charconv>
#include <utility>

#include "readers/common/utf8.hpp"
#include "templates.hpp"

namespace flowrun::readers {
namespace {

std::string_view attribute(const char* const* attributes, std::string_view name) noexcept {
  for (; attributes[0] != nullptr; attributes += 2)
    if (attributes[0] == name) return attributes[1];
  return {};
}

bool read_number(std::string_view text, std::int64_t& number) noexcept {
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() && end == text.data() + text.size();
}

/// <mediawiki xml:lang="..."> <siteinfo> <namespaces> <namespace key="6">File</namespace>
class SiteHandler : public XmlHandler {
 public:
  explicit SiteHandler(WikiSite& site) : site_(&site) {}
  void start(std::string_view name, const char* const* attributes) override {
    if (name == "mediawiki") site_->language = attribute(attributes, "xml:lang");
    const std::string_view key = name == "namespace" ? attribute(attributes, "key") : std::string_view();
    inside_ = key == "-2" || key == "6" || key == "14";
    if (inside_) site_->hidden_prefixes.emplace_back();
  }
  void text(std::string_view text) override {
    if (inside_) site_->hidden_prefixes.back() += text;
  }
  void end() override { inside_ = false; }

 private:
  WikiSite* site_;
  bool inside_ = false;
};

class PageHandler : public XmlHandler {
 public:
  explicit PageHandler(WikiPage& page) : page_(&page) {}

  void start(std::string_view name, const char* const* attributes) override {
    ++depth_;
    target_ = nullptr;
    if (depth_ == 1) is_page = name == "page";
    if (depth_ == 2) page_child(name);
    if (depth_ == 3 && in_revision_) revision_child(name, attributes);
  }
  void text(std::string_view text) override {
    if (target_ != nullptr) *target_ += text;
  }
  void end() override {
    target_ = nullptr;
    if (depth_-- == 2) in_revision_ = false;
  }

  bool is_page = false, has_title = false, has_two_titles = false, has_text = false;
  std::string id, name_space;
  std::string promised_bytes;  ///< that the last <text> says it has

 private:
  void page_child(std::string_view name) {
    if (name == "title") {
      has_two_titles = std::exchange(has_title, true) || has_two_titles;
      set(page_->title);
    }
    if (name == "ns") set(name_space);
    if (name == "id") set(id);
    if (name == "redirect") page_->redirect = true;
    if (name == "revision") {
      in_revision_ = true;
      page_->timestamp.clear();
      page_->model.clear();
    }
  }
  void revision_child(std::string_view name, const char* const* attributes) {
    if (name == "timestamp") set(page_->timestamp);
    if (name == "model") set(page_->model);
    if (name != "text") return;
    has_text = true;
    promised_bytes = attribute(attributes, "deleted").empty() ? attribute(attributes, "bytes") : std::string_view();
    set(page_->text);
  }
  void set(std::string& target) {
    target.clear();
    target_ = &target;
  }

  WikiPage* page_;
  std::string* target_ = nullptr;  ///< of the text in the element that is open
  std::size_t depth_ = 0;
  bool in_revision_ = false;
};

}  // namespace

std::optional<WikiFault> WikiXml::read_site(std::string_view xml, WikiSite& site) {
  site = {};
  if (const std::size_t bad = find_invalid_utf8(xml); bad != std::string_view::npos)
    return WikiFault{"bad_utf8", describe_invalid_utf8(xml, bad, "what stands before the pages")};
  SiteHandler handler(site);
  const std::string fault = parser_.parse(xml, handler, false);
  if (!fault.empty()) return WikiFault{"bad_xml", "what stands before the pages cannot be read: " + fault};
  return {};
}

std::optional<WikiFault> WikiXml::read_page(std::string_view xml, WikiPage& page) {
  page.title.clear();
  page.timestamp.clear();
  page.model.clear();
  page.text.clear();
  page.redirect = false;
  if (const std::size_t bad = find_invalid_utf8(xml); bad != std::string_view::npos)
    return WikiFault{"bad_utf8", describe_invalid_utf8(xml, bad, "the record")};
  PageHandler handler(page);
  if (std::string fault = parser_.parse(xml, handler); !fault.empty()) return WikiFault{"bad_xml", std::move(fault)};
  if (!handler.is_page) return WikiFault{"bad_page", "the element is no <page>"};
  if (handler.has_two_titles) return WikiFault{"bad_page", "the page has two titles: it has lost its end"};
  if (!handler.has_title) return WikiFault{"bad_page", "the page has no <title>"};
  if (!read_number(handler.name_space, page.name_space)) return WikiFault{"bad_page", "<ns> is '" + handler.name_space.substr(0, 40) + "', expected the number of a namespace"};
  if (!read_number(handler.id, page.id)) return WikiFault{"bad_page", "<id> is '" + handler.id.substr(0, 40) + "', expected the number of the page"};
  std::int64_t promised = 0;
  const bool is_stub = page.text.empty() && read_number(handler.promised_bytes, promised) && promised > 0;
  if (!handler.has_text || is_stub)
    return WikiFault{"bad_page", std::string(is_stub ? "the page's <text> is empty and should have " + handler.promised_bytes + " bytes, as in a dump of stubs" : "the page has no <text>") +
                                     "; expected a dump of pages with their content, *-pages-articles.xml.bz2"};
  return {};
}

}  // namespace flowrun::readers
