#pragma once

#include <memory>
#include <string>

#include "tokenizers/common/json_object.hpp"
#include "tokenizers/common/models/model.hpp"

namespace flowrun::tokenizers {

/// Returns the "type" of the model at "model", or what files from before there was one can only be.
std::string model_type_of(const JsonObject& model);

/// Reads the model of a tokenizer.json. Throws kCorruptData or kUnsupported, naming the place.
std::unique_ptr<Model> read_model(const JsonObject& model);

}  // namespace flowrun::tokenizers
