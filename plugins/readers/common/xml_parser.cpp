#include "readers/common/xml_parser.hpp"

#include <expat.h>

#include <cstddef>
#include <exception>
#include <new>

namespace flowrun::readers {

struct XmlParser::Impl {
  Impl() : parser(XML_ParserCreate("UTF-8")) {
    if (parser == nullptr) throw std::bad_alloc();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { XML_ParserFree(parser); }

  void prepare(XmlHandler& handler_in) {
    XML_ParserReset(parser, "UTF-8");
    handler = &handler_in;
    thrown = nullptr;
    has_doctype = false;
    XML_SetUserData(parser, this);
    XML_SetElementHandler(
        parser, [](void* self, const char* name, const char** attributes) { of(self).guarded([&](XmlHandler& to) { to.start(name, attributes); }); },
        [](void* self, const char*) { of(self).guarded([](XmlHandler& to) { to.end(); }); });
    XML_SetCharacterDataHandler(parser, [](void* self, const char* text, int size) {
      of(self).guarded([&](XmlHandler& to) { to.text({text, static_cast<std::size_t>(size)}); });
    });
    XML_SetStartDoctypeDeclHandler(parser, [](void* self, const char*, const char*, const char*, int) {
      of(self).has_doctype = true;
      XML_StopParser(of(self).parser, XML_FALSE);
    });
  }

  static Impl& of(void* self) noexcept { return *static_cast<Impl*>(self); }

  /// No exception may pass through expat.
  template <class Body>
  void guarded(Body&& body) noexcept {
    try {
      body(*handler);
    } catch (...) {
      thrown = std::current_exception();
      XML_StopParser(parser, XML_FALSE);
    }
  }

  XML_Parser parser;
  XmlHandler* handler = nullptr;
  std::exception_ptr thrown;
  bool has_doctype = false;
};

XmlParser::XmlParser() : impl_(std::make_unique<Impl>()) {}
XmlParser::~XmlParser() = default;

std::string XmlParser::parse(std::string_view document, XmlHandler& handler, bool complete) {
  impl_->prepare(handler);
  const XML_Status status = XML_Parse(impl_->parser, document.data(), static_cast<int>(document.size()), complete);
  if (impl_->thrown) std::rethrow_exception(impl_->thrown);
  if (status == XML_STATUS_OK) return {};
  if (impl_->has_doctype) return "a document type is declared, which may define entities and is refused";
  if (XML_GetErrorCode(impl_->parser) == XML_ERROR_NO_MEMORY) throw std::bad_alloc();
  return std::string(XML_ErrorString(XML_GetErrorCode(impl_->parser))) + " at byte " + std::to_string(XML_GetCurrentByteIndex(impl_->parser)) + " of the record";
}

}  // namespace flowrun::readers
