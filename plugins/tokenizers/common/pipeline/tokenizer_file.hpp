#pragma once

// tokenizer.json in all its forms.

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer.hpp"
#include "tokenizers/common/json_object.hpp"

namespace flowrun::tokenizers {

/// Returns the tokenizer that the text of a tokenizer.json describes.
///
/// Throws kCorruptData for what is no such file, kUnsupported for a component, key or expression that is not known here: either names the place, as in
/// "pre_tokenizer.pretokenizers[1].behavior". Nothing is ignored but what cannot change a token (a model's `dropout` of null or 0). Any input is safe.
Tokenizer read_tokenizer(std::string_view json);
/// The same of a file that has been parsed.
Tokenizer build_tokenizer(const Json& root);

/// Returns "added_tokens" of the file, with its ids, which may not be those that they get.
std::vector<AddedToken> read_added_tokens(const JsonObject& root);

/// Returns the whole file. Throws kNotFound or kIo.
std::string read_text(const std::string& path);

/// Returns the parsed file, or tokenizer.json of a folder. Throws kNotFound, kIo, kCorruptData.
Json load_json(const std::string& path);

/// Reads a file, or tokenizer.json in a folder. Throws kNotFound, kIo, else as `read_tokenizer`, with the path as context.
Tokenizer load_tokenizer(const std::string& path);

}  // namespace flowrun::tokenizers
