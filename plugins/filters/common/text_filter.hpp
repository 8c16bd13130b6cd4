#pragma once

// What the filters of documents share: `mode`, and texts that go on changed.

#include <flowrun/node.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "filters/common/verdict.hpp"

namespace flowrun::filters {

/// Returns the parameter `mode`, the same in every filter.
Parameter mode_parameter();

/// Makes a column of format "b".
OwnedArray bool_column(const std::vector<bool>& values);

/// What a filter says of one document.
struct Decision {
  Decision() = default;
  Decision(const std::optional<Verdict>& broken) : verdict(broken) {}  // NOLINT(google-explicit-constructor): a filter's usual answer
  std::optional<Verdict> verdict;   ///< why it is dropped
  std::optional<std::string> text;  ///< how its text goes on, where that is changed
  std::vector<std::variant<std::string, double>> values;  ///< of the columns that the filter adds
};

/// A map that drops documents, or with mode = "score" keeps all of them as they are, with columns `<name>.keep` (bool) and `<name>.reason`
/// (utf8, "" for what would be kept). Derive, and answer for one row; a filter may add columns of its own in both modes.
class TextFilter : public Map {
 public:
  void open(Open& open) override;
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) final;

 protected:
  /// `name` is the plugin's, without its family. `columns` are utf8 or float64.
  TextFilter(std::string name, const Params& params, std::vector<Field> columns = {});
  /// On many threads at once. A reason lives as long as the node.
  virtual Decision decide(const DocumentsView& documents, std::int64_t row) const = 0;
  const Field& schema() const noexcept { return schema_; }

 private:
  OwnedArray drop(const Call& call, const ArrowArray& in, const std::vector<Decision>& decisions) const;
  OwnedArray keep_all(const Call& call, const ArrowArray& in, const std::vector<Decision>& decisions) const;

  void append_added(std::vector<OwnedArray>& columns, const std::vector<Decision>& decisions, std::span<const std::int64_t> rows) const;

  std::string name_;
  bool scores_;
  std::vector<Field> added_;
  Field schema_;
};

}  // namespace flowrun::filters
