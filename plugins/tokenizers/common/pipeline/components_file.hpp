#pragma once

// The components of a tokenizer.json that are named by their "type". Each function takes the value at `path`; null gives none.

#include <memory>
#include <string>

#include "decoders.hpp"
#include "normalizers.hpp"
#include "post_processors.hpp"
#include "pre_tokenizers.hpp"
#include "tokenizers/common/json_object.hpp"

namespace flowrun::tokenizers {

std::unique_ptr<Normalizer> read_normalizer(const Json& value, const std::string& path);
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& value, const std::string& path);
std::unique_ptr<PostProcessor> read_post_processor(const Json& value, const std::string& path);
std::unique_ptr<Decoder> read_decoder(const Json& value, const std::string& path);

}  // namespace flowrun::tokenizers
