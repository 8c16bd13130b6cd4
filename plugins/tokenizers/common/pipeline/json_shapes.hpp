#pragma once

// What the parts of a tokenizer.json that was read and found good look like, for those who ask whether a shorter way gives the same ids.

#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/json_object.hpp"

namespace flowrun::tokenizers {

inline constexpr std::string_view kMetaspace = "\u2581";

/// Returns the component, null where there is none.
Json component(const Json& root, const char* key);
/// Returns the "type" of a component, "" where it has none.
std::string_view type_of(const Json& component);
/// Returns the components of a sequence, whose list is at `key`, or the component alone; none for null.
std::vector<Json> steps_of(const Json& component, const char* key);
/// Returns whether `step` is a Replace of `pattern`, a "String" or "Regex", by `content`.
bool is_replacement(const Json& step, const char* kind, std::string_view pattern, std::string_view content);
/// Returns whether the ids of a text come out of the post-processor once: a template may leave them out or repeat them.
bool gives_text_once(const Json& post_processor);

}  // namespace flowrun::tokenizers
