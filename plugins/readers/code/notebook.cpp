#include "notebook.hpp"

#include <simdjson.h>

namespace flowrun::readers {
namespace {

namespace dom = simdjson::dom;

/// Appends a cell's source: a string, or a list of strings. Returns whether it is one.
bool append_source(dom::element source, std::string& out) {
  std::string_view text;
  if (source.get(text) == simdjson::SUCCESS) {
    out += text;
    return true;
  }
  dom::array lines;
  if (source.get(lines) != simdjson::SUCCESS) return false;
  for (const dom::element line : lines) {
    if (line.get(text) != simdjson::SUCCESS) return false;
    out += text;
  }
  return true;
}

std::string language_of(dom::element notebook) {
  for (const char* pointer : {"/metadata/language_info/name", "/metadata/kernelspec/language", "/cells/0/language", "/worksheets/0/cells/0/language"}) {
    std::string_view name;
    if (notebook.at_pointer(pointer).get(name) == simdjson::SUCCESS) return std::string(name);
  }
  return "";
}

std::optional<std::string> append_cell(dom::element cell, const std::string& language, std::string& out) {
  std::string_view type;
  if (cell["cell_type"].get(type) != simdjson::SUCCESS) return "a cell has no 'cell_type'";
  dom::element source;
  std::string text;
  const bool found = cell["source"].get(source) == simdjson::SUCCESS || cell["input"].get(source) == simdjson::SUCCESS;
  if (!found || !append_source(source, text)) return "a cell has no 'source' that is a string or a list of strings";
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return std::nullopt;
  if (!out.empty()) out += "\n\n";
  out += type == "code" ? "```" + language + "\n" + text + "\n```" : text;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> notebook_to_text(std::string_view json, std::string& out) {
  out.clear();
  dom::parser parser;
  dom::element notebook;
  if (const auto error = parser.parse(json.data(), json.size()).get(notebook)) return std::string("the notebook is not JSON: ") + simdjson::error_message(error);
  const std::string language = language_of(notebook);
  bool any = false;
  for (const char* pointer : {"/cells", "/worksheets/0/cells"}) {
    dom::array cells;
    if (notebook.at_pointer(pointer).get(cells) != simdjson::SUCCESS) continue;
    any = true;
    for (const dom::element cell : cells)
      if (auto fault = append_cell(cell, language, out)) return fault;
  }
  if (!any) return "the notebook has no list 'cells'";
  if (!out.empty()) out += '\n';
  return std::nullopt;
}

}  // namespace flowrun::readers
