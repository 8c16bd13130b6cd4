#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::filters {

/// Keys of an item. Its right answers are texts under `label`, or those of `choices` that `gold` (a place from 0, or a list of them) says.
struct ItemKeys {
  std::string query = "query", label = "label", choices = "choices", gold = "gold";
};

/// One question of an evaluation set.
struct EvaluationItem {
  std::int64_t record = 0;  ///< from 0
  std::optional<std::string> query;
  std::vector<std::string> labels;  ///< right answers, at least one
};

/// Reads an evaluation set, JSON Lines, and calls `use` with each item; `name` is what messages call the file. Throws kIo, or kInvalidArgument with file and line, what was found and what
/// was expected.
void read_evaluation_items(const std::string& path, const std::string& name, const ItemKeys& keys, const std::function<void(const EvaluationItem&)>& use);

}  // namespace flowrun::filters
