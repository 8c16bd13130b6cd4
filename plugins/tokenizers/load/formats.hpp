#pragma once

#include <string>
#include <string_view>

namespace flowrun::tokenizers {

/// Returns the text of a tokenizer.json, or of the one in a folder. Throws kNotFound or kIo.
std::string read_as_tokenizer_json(const std::string& path);

/// Returns the text of the tokenizer_config.json beside a file that is called tokenizer.json; else, since it may be another tokenizer's, a minimal one with
/// which transformers loads a fast tokenizer.
std::string tokenizer_config_of(const std::string& path);

bool is_utf8(std::string_view text);

}  // namespace flowrun::tokenizers
