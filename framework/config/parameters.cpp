#include "config/parameters.hpp"

#include <utility>

#include "config/limits.hpp"
#include "config/value.hpp"

namespace flowrun::config {

bool Budget::refuse(const SourceLocation& where, const std::string& what, std::size_t cap) {
  spent_ = true;
  report_.error(where, "too_large", "graph has more than " + std::to_string(cap) + " " + what + " after expansion",
                {.expected = "at most " + std::to_string(cap)});
  return false;
}

bool Budget::take_node(const SourceLocation& where) {
  if (spent_) return false;
  if (++nodes_ > static_cast<std::size_t>(kMaxNodes)) return refuse(where, "nodes", static_cast<std::size_t>(kMaxNodes));
  return true;
}

bool Budget::take_value(const SourceLocation& where, std::size_t bytes) {
  if (spent_) return false;
  bytes_ += bytes;
  if (++values_ > kMaxValues) return refuse(where, "values", kMaxValues);
  if (bytes_ > kMaxExpandedBytes) return refuse(where, "bytes of text", kMaxExpandedBytes);
  return true;
}

Parameters::Parameters(const Table& declared, std::unordered_map<std::string, Value> given, Budget& budget, Reporter& report)
    : budget_(budget), report_(report) {
  names_.reserve(declared.size());
  for (const Entry& entry : declared) {
    Slot& slot = slots_[entry.key];
    slot.written = &entry.value;
    // Given values come from the outer file with its parameters already in them; a '${' in one is text.
    if (const auto replaced = given.find(entry.key); replaced != given.end()) slot.resolved = std::move(replaced->second);
    names_.push_back(entry.key);
  }
}

Parameters::Parameters(Parameters& outer, std::int64_t index)
    : outer_(&outer), index_(index), budget_(outer.budget_), report_(outer.report_) {}

void Parameters::resolve_all() {
  for (const std::string& name : names_) lookup(name, slots_[name].written->where);
}

const Value* Parameters::lookup(const std::string& name, const SourceLocation& where) {
  if (name == "index" && index_) {
    index_value_.data = *index_;
    return &index_value_;
  }
  if (outer_ != nullptr) return outer_->lookup(name, where);
  const auto it = slots_.find(name);
  if (it == slots_.end()) {
    const std::string hint = name == "index" ? ": it exists only in a node with 'repeat', and in subgraphs inside one" : "";
    report_.error(where, "unknown_key", "unknown parameter '" + name + "'" + hint,
                  {.found = name, .suggestion = report_.suggest(name, names_)});
    return nullptr;
  }
  Slot& slot = it->second;
  if (slot.resolved) return &*slot.resolved;
  if (slot.resolving) {
    report_.error(where, "cycle", "parameter '" + name + "' refers to itself", {.found = name});
    return nullptr;
  }
  if (depth_ >= kMaxParameterDepth) {
    report_.error(where, "too_large", "parameters refer to each other more than " + std::to_string(kMaxParameterDepth) + " deep",
                  {.expected = "at most " + std::to_string(kMaxParameterDepth)});
    return nullptr;
  }
  slot.resolving = true;
  ++depth_;
  Value resolved = substitute(*slot.written);
  --depth_;
  slot.resolving = false;
  slot.resolved = std::move(resolved);
  return &*slot.resolved;
}

void Parameters::substitute_in(Value& value) {
  const std::string* text = as_string(value);
  if (!budget_.take_value(value.where, text != nullptr ? text->size() : 0)) return;
  if (text != nullptr) {
    if (text->find("${") != std::string::npos) value = substitute_text(value, *text);
  } else if (auto* array = std::get_if<Array>(&value.data)) {
    for (Value& element : *array) substitute_in(element);
  } else if (auto* table = std::get_if<Table>(&value.data)) {
    substitute_in(*table);
  }
}

void Parameters::substitute_in(Table& table) {
  for (Entry& entry : table) substitute_in(entry.value);
}

/// Appends a parameter inside a longer string.
bool Parameters::append(std::string& result, const std::string& name, const Value& parameter, const SourceLocation& where) {
  if (const std::string* text = as_string(parameter)) {
    result += *text;
  } else if (std::holds_alternative<Array>(parameter.data) || std::holds_alternative<Table>(parameter.data)) {
    report_.error(where, "wrong_type",
                  "parameter '" + name + "' is " + with_article(parameter.type_name()) +
                      ", expected a string, a number or a boolean inside a longer string",
                  {.found = parameter.type_name(), .expected = "string"});
    return false;
  } else {
    result += to_toml(parameter);
  }
  return true;
}

Value Parameters::substitute_text(const Value& value, const std::string& text) {
  std::string result;
  std::string base = value.base;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 3, "$${") == 0) {
      result += "${";
      at += 3;
      continue;
    }
    if (text.compare(at, 2, "${") != 0) {
      result += text[at++];
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) {
      report_.error(value.where, "toml_syntax",
                    "'${' without '}' in a string, expected '${name}' (or '$${' for the characters themselves)");
      return value;
    }
    const std::string name = text.substr(at + 2, end - at - 2);
    const Value* parameter = lookup(name, value.where);
    if (parameter == nullptr) return value;
    if (at == 0 && end + 1 == text.size()) {
      // The whole string: the parameter's own type, and the folder of the file that says its value.
      if (!budget_.take_value(value.where, as_string(*parameter) != nullptr ? as_string(*parameter)->size() : 0)) return value;
      Value copy = *parameter;
      copy.where = value.where;
      if (copy.base.empty()) copy.base = value.base;
      return copy;
    }
    // A relative path that begins with a parameter stands where the parameter's does.
    if (at == 0 && as_string(*parameter) != nullptr) base = parameter->base;
    if (!append(result, name, *parameter, value.where)) return value;
    if (result.size() > kMaxStringBytes) {
      report_.error(value.where, "too_large", "string has more than " + std::to_string(kMaxStringBytes) + " bytes after substitution",
                    {.expected = "at most " + std::to_string(kMaxStringBytes)});
      return value;
    }
    at = end + 1;
  }
  if (!budget_.take_value(value.where, result.size())) return value;
  return {std::move(result), value.where, std::move(base)};
}

bool fit_type(Value& value, const Value& fallback) {
  if (const std::string* text = as_string(fallback); text != nullptr && text->find("${") != std::string::npos) return true;
  if (std::holds_alternative<double>(fallback.data) && std::holds_alternative<std::int64_t>(value.data)) {
    value.data = static_cast<double>(std::get<std::int64_t>(value.data));
    return true;
  }
  return value.data.index() == fallback.data.index();
}

}  // namespace flowrun::config
