#include "json_shapes.hpp"

#include <algorithm>

namespace flowrun::tokenizers {

Json component(const Json& root, const char* key) { return root.contains(key) ? root.at(key) : Json(); }

std::string_view type_of(const Json& component) {
  const auto found = component.is_object() ? component.find("type") : component.end();
  return component.is_object() && found != component.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : std::string_view();
}

std::vector<Json> steps_of(const Json& component, const char* key) {
  if (component.is_null()) return {};
  if (type_of(component) != "Sequence") return {component};
  return component.at(key).get<std::vector<Json>>();
}

bool is_replacement(const Json& step, const char* kind, std::string_view pattern, std::string_view content) {
  return type_of(step) == "Replace" && step.at("pattern").value(kind, Json()) == pattern && step.at("content") == content;
}

bool gives_text_once(const Json& post_processor) {
  for (const Json& step : steps_of(post_processor, "processors")) {
    if (type_of(step) != "TemplateProcessing") continue;
    const auto is_text = [](const Json& piece) { return piece.contains("Sequence"); };
    if (const Json& pieces = step.at("single"); std::count_if(pieces.begin(), pieces.end(), is_text) != 1) return false;
  }
  return true;
}

}  // namespace flowrun::tokenizers
