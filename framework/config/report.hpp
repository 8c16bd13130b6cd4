#pragma once

// How the loader adds findings: once each, in one wording.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/graph_spec.hpp"

namespace flowrun::config {

/// The optional parts of a finding.
struct Details {
  std::optional<std::string> found = {};
  std::optional<std::string> expected = {};
  std::optional<std::string> suggestion = {};
  std::optional<std::string> node = {};
};

/// Adds errors to a Diagnostics. The same error at the same place is added once: the instances of a repeated node share their text.
class Reporter {
 public:
  explicit Reporter(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void error(const SourceLocation& where, std::string code, std::string message, Details details = {});

  /// Says that `name` (as printed, for example "'threads'") is of a wrong TOML type; `expected` is one of Value::type_name's words.
  void wrong_type(const Value& value, std::string_view name, std::string_view expected, const std::optional<std::string>& node = {});
  /// Says that `name` has a value outside its range; `expected` completes "expected ...".
  void out_of_range(const Value& value, std::string_view name, std::string_view expected, const std::optional<std::string>& node = {});

  /// As nearest(), within a budget of comparisons for the whole load: a file of nothing but errors must not take quadratic time.
  std::optional<std::string> suggest(std::string_view word, const std::vector<std::string>& candidates);

 private:
  Diagnostics& diagnostics_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>> seen_;  ///< file, line, column, code and message
  std::size_t comparisons_left_ = 2'000'000;
};

/// Returns "a string", "an integer", ...
std::string with_article(std::string_view type_name);

}  // namespace flowrun::config
