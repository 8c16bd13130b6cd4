#pragma once

#include <flowrun/error.hpp>
#include <flowrun/nearest.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "filters/common/fasttext/model.hpp"

namespace flowrun::filters::fasttext {

/// Returns the number of a label that `parameter` of the graph names. Throws kInvalidArgument, with the nearest label, where the model has none of that name.
inline std::uint32_t require_label(const Model& model, const std::string& name, const std::string& parameter) {
  if (const auto number = model.find_label(name)) return *number;
  std::vector<std::string> labels;
  for (std::uint32_t i = 0; i < model.dictionary().labels().size(); ++i) labels.emplace_back(model.label(i));
  throw Error(Code::kInvalidArgument, "'" + parameter + "' names '" + name + "', which is none of the model's " + std::to_string(labels.size()) + " labels" + did_you_mean(name, labels));
}

}  // namespace flowrun::filters::fasttext
