#pragma once

// What `flowrun list` and `flowrun inspect` print.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "plugin/registry.hpp"

namespace flowrun::plugin {

/// Returns the object of `flowrun inspect --json`. Throws Error(kUnavailable) for a file whose descriptor could not be read.
nlohmann::ordered_json inspect_json(const PluginFile& file, std::string_view digest);

/// Returns the text of `flowrun inspect`: the same facts for people, with the file and its digest.
std::string inspect_text(const PluginFile& file, std::string_view digest);

/// Returns the text of a plugin's README.md.
std::string inspect_markdown(const DescriptorInfo& info);

/// Returns the object of `flowrun list --json`. What a refused plugin's descriptor would have said is null where it could not be read.
nlohmann::ordered_json list_json(Registry& registry);

}  // namespace flowrun::plugin
