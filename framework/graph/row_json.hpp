#pragma once

// Rows and batches as people look at them.

#include <cstdint>

#include <nlohmann/json.hpp>

#include <flowrun/message.hpp>

namespace flowrun::graph {

/// Returns a row's columns by name, in the order of the schema: text, numbers, booleans, and lists of them; null where there is no value. A column of another
/// type is given by its Arrow format in angle brackets.
nlohmann::ordered_json row_to_json(const Field& schema, const ArrowArray& batch, std::int64_t row);

/// Returns the tensors of a batch by name, as nested lists by their shape, and `documents`, the ids of the documents that it is made of.
nlohmann::ordered_json batch_to_json(const flowrun_batch& batch);

}  // namespace flowrun::graph
