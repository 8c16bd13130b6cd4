#pragma once

// `[params]` and `${name}`.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/report.hpp"

namespace flowrun::config {

/// Counts what expansion makes, and reports the first cap that it passes. After that nothing more may be expanded.
class Budget {
 public:
  explicit Budget(Reporter& report) : report_(report) {}

  /// Takes one node or subgraph instance.
  bool take_node(const SourceLocation& where);
  /// Takes one value with `bytes` of text.
  bool take_value(const SourceLocation& where, std::size_t bytes);
  bool spent() const { return spent_; }

 private:
  bool refuse(const SourceLocation& where, const std::string& what, std::size_t cap);

  Reporter& report_;
  std::size_t nodes_ = 0;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
  bool spent_ = false;
};

/// The parameters of one file, or of one instance of a subgraph. They may refer to each other. Not copied: substitutions refer to it.
class Parameters {
 public:
  /// `declared` is the file's `[params]`, which must outlive this object; `given` replaces some of its values, and has no `${...}` any
  /// more.
  Parameters(const Table& declared, std::unordered_map<std::string, Value> given, Budget& budget, Reporter& report);
  /// Parameters of `outer` with `${index}`.
  Parameters(Parameters& outer, std::int64_t index);
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  /// Resolves all of them, so that an error in one that nothing uses is reported too.
  void resolve_all();

  /// Replaces every `${name}` in the strings of a value or of all values of a table. Errors are reported at the string, which then stays as
  /// it is. Once the budget is spent nothing changes any more.
  void substitute_in(Value& value);
  void substitute_in(Table& table);
  /// Returns a copy in which they are replaced.
  template <class T>
  T substitute(T written) {
    substitute_in(written);
    return written;
  }

  /// Gives an inherited `${index}`: that of the instance around this subgraph.
  void set_index(std::optional<std::int64_t> index) { index_ = index; }
  std::optional<std::int64_t> index() const { return index_; }

 private:
  struct Slot {
    const Value* written = nullptr;
    std::optional<Value> resolved;
    bool resolving = false;
  };

  const Value* lookup(const std::string& name, const SourceLocation& where);
  Value substitute_text(const Value& value, const std::string& text);
  bool append(std::string& result, const std::string& name, const Value& parameter, const SourceLocation& where);

  Parameters* outer_ = nullptr;  ///< only for the form with an index: all but `index` are found there
  std::optional<std::int64_t> index_;
  Value index_value_;
  std::unordered_map<std::string, Slot> slots_;
  std::vector<std::string> names_;
  Budget& budget_;
  Reporter& report_;
  std::size_t depth_ = 0;
};

/// Gives `value` the type of a parameter's default: an integer becomes a float where the default is one. Returns false if it has another
/// type. A default that holds `${` takes any type.
bool fit_type(Value& value, const Value& fallback);

}  // namespace flowrun::config
