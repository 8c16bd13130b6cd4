#pragma once

// Small XML documents in memory: expat with document types refused, so that nothing declares entities and none grows.

#include <memory>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Sees the elements of a document in their order. Attributes are name, value, ..., nullptr. What it throws ends the parsing and is thrown on.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void start(std::string_view name, const char* const* attributes) = 0;
  virtual void text(std::string_view) {}
  virtual void end() {}
};

/// Parses one document after another. The bytes must be UTF-8.
class XmlParser {
 public:
  XmlParser();
  ~XmlParser();
  /// Returns why `document` is not well-formed, with the byte where that shows, or "". Without `complete` it may be the beginning of one.
  std::string parse(std::string_view document, XmlHandler& handler, bool complete = true);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::readers
