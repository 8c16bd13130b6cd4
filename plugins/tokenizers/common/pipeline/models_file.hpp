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

/// Returns the score that the library has of a file. Its JSON reader (serde_json without `float_roundtrip`) rounds twice, first the digits and then their product with a
/// power of ten, so that one number in eight is one unit in the last place off; and of paths whose sums are equal but for that, the greater one is taken.
double score_as_read_by_tokenizers(double score);

}  // namespace flowrun::tokenizers
