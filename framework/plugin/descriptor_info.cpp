#include "plugin/descriptor_info.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <utility>

#include <flowrun/abi.h>
#include <flowrun/error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flowrun::plugin {
namespace {

using Json = nlohmann::json;
using Words = std::initializer_list<std::string_view>;  // of arguments alone

// A descriptor is a few kilobytes; a section far above that is not one, and is not worth parsing.
constexpr std::size_t kDescriptorBytesMax = std::size_t{1} << 20;

// What a node's table may hold beside parameters and ports (docs/graph-format.md).
constexpr std::array<std::string_view, 11> kReservedKeys = {"plugin", "graph",  "in",     "threads", "on_error",    "cache",
                                                            "seed",   "repeat", "prefix", "tie",     "memory_bytes"};

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Returns what stands there in a few words, for the "found" half of a message.
std::string describe(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

[[noreturn]] void wrong(const std::string& path, const std::string& found, std::string_view expected) {
  throw Error(Code::kUnavailable, fmt::format("descriptor key '{}' is {}, expected {}", path, found, expected));
}

[[noreturn]] void wrong_count(const std::string& path, std::size_t found, std::string_view what, std::string_view expected) {
  throw Error(Code::kUnavailable, fmt::format("descriptor key '{}' has {} {}, expected {}", path, found, what, expected));
}

/// A value of the descriptor and the path that leads to it.
class Reader {
 public:
  Reader(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const Json& json() const noexcept { return *value_; }
  const std::string& path() const noexcept { return path_; }
  [[noreturn]] void fail(std::string_view expected) const { wrong(path_, describe(*value_), expected); }

  Reader at(const char* key) const {
    if (!value_->is_object()) fail("an object");
    const auto found = value_->find(key);
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (found == value_->end()) throw Error(Code::kUnavailable, fmt::format("descriptor key '{}' is missing", path));
    return {*found, path};
  }
  bool has(const char* key) const { return value_->contains(key); }
  std::vector<Reader> items() const {
    if (!value_->is_array()) fail("a list");
    std::vector<Reader> items;
    for (std::size_t i = 0; i < value_->size(); ++i) items.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
    return items;
  }
  void allow_only(Words keys) const {
    if (!value_->is_object()) fail("an object");
    for (const auto& [key, value] : value_->items())
      if (!contains(keys, key)) wrong(path_.empty() ? key : path_ + "." + key, "unknown", fmt::format("one of {}", fmt::join(keys, ", ")));
  }

  std::string text() const {
    if (!value_->is_string()) fail("a string");
    return value_->get<std::string>();
  }
  std::string sentence() const {
    if (!value_->is_string() || value_->get_ref<const std::string&>().empty()) fail("a string that is not empty");
    return text();
  }
  std::string one_of(Words words) const {
    if (!value_->is_string() || !contains(words, value_->get_ref<const std::string&>())) fail(fmt::format("one of {}", fmt::join(words, ", ")));
    return text();
  }
  std::string snake_case() const {
    if (!value_->is_string() || !is_snake_case(value_->get_ref<const std::string&>())) fail("a name in snake_case");
    return text();
  }
  bool boolean() const {
    if (!value_->is_boolean()) fail("true or false");
    return value_->get<bool>();
  }
  int version_number() const {
    if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > 0xFFFF) fail("a whole number from 0 to 65535");
    return value_->get<int>();
  }
  std::optional<double> bound(const std::string& type) const {
    if (value_->is_null()) return std::nullopt;
    const bool real = type == "float" || type == "table<float>";  // of a table: of each of its values
    if (type == "integer" ? !value_->is_number_integer() : !real || !value_->is_number())
      fail(type == "integer" ? "a whole number or null" : real ? "a number or null" : "null for a parameter that is not a number");
    return value_->get<double>();
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Reader& item : items()) texts.push_back(item.sentence());
    return texts;
  }

 private:
  const Json* value_;
  std::string path_;
};

bool has_type(const Json& value, std::string_view type) {
  const auto all = [&](auto is) { return std::all_of(value.begin(), value.end(), is); };
  const auto is_text = [](const Json& item) { return item.is_string(); };
  const auto is_number = [](const Json& item) { return item.is_number(); };
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "float") return value.is_number();
  if (type == "paths" || type == "list<string>") return value.is_array() && all(is_text);
  if (type == "table<float>") return value.is_object() && all(is_number);
  if (type == "list<table>") return false;  // its fields have defaults, it has none
  return value.is_string();
}

void check_default(const ParameterInfo& parameter, const Reader& value) {
  if (value.json().is_null()) return;
  if (parameter.required) value.fail("null, because the parameter is required");
  if (!has_type(value.json(), parameter.type)) value.fail(fmt::format("a value of type {}", parameter.type));
  if (value.json().is_number()) {
    const double number = value.json().get<double>();
    if (parameter.min && number < *parameter.min) value.fail(fmt::format("at least {}", *parameter.min));
    if (parameter.max && number > *parameter.max) value.fail(fmt::format("at most {}", *parameter.max));
  }
  if (parameter.choices.empty()) return;
  for (const Json& chosen : value.json().is_array() ? value.json() : Json::array({value.json()}))
    if (std::find(parameter.choices.begin(), parameter.choices.end(), chosen) == parameter.choices.end())
      value.fail(fmt::format("one of the choices {}", fmt::join(parameter.choices, ", ")));
}

/// Reads what the parameter's texts are names of, where it says so.
void read_names(const Reader& reader, ParameterInfo& parameter) {
  if (!reader.has("names")) return;
  const Reader names = reader.at("names");
  const bool table = parameter.type == "table<float>", text = parameter.type == "string" || parameter.type == "list<string>";
  if (!table && !text) names.fail("nothing: only strings and tables of numbers have names");
  names.one_of({table ? "domain" : "column"});
  parameter.names = table ? Names::kDomains : Names::kColumns;
  if (!table) return;
  if (!reader.at("otherwise").json().is_number()) reader.at("otherwise").fail("a number");
  parameter.otherwise = reader.at("otherwise").json().get<double>();
}

ParameterInfo parse_parameter(const Reader& reader, bool strict);

/// Reads what the tables of a list may hold: values alone, neither files nor further tables.
std::vector<ParameterInfo> parse_fields(const Reader& reader, bool strict) {
  std::vector<ParameterInfo> fields;
  std::set<std::string> names;
  for (const Reader& item : reader.items()) {
    fields.push_back(parse_parameter(item, strict));
    const std::string& type = fields.back().type;
    if (type == "path" || type == "paths" || type == "output_path" || type == "list<table>") item.at("type").fail("a type of values");
    if (!names.insert(fields.back().name).second) item.at("name").fail("a name that no earlier field has");
  }
  if (fields.empty()) reader.fail("at least one field");
  return fields;
}

ParameterInfo parse_parameter(const Reader& reader, bool strict) {
  const bool has_fields = reader.at("type").json() == "list<table>";
  if (strict && has_fields) reader.allow_only({"name", "type", "unit", "default", "min", "max", "choices", "required", "description", "fields"});
  if (strict && !has_fields) reader.allow_only({"name", "type", "unit", "default", "min", "max", "choices", "required", "description", "names", "otherwise"});
  ParameterInfo parameter;
  parameter.name = reader.at("name").snake_case();
  if (contains(kReservedKeys, parameter.name)) reader.at("name").fail("a name that is not a reserved key of a node");
  parameter.type = reader.at("type").one_of({"boolean", "integer", "float", "string", "path", "paths", "output_path", "list<string>", "table<float>", "list<table>"});
  if (const Reader unit = reader.at("unit"); !unit.json().is_null()) parameter.unit = unit.sentence();
  parameter.min = reader.at("min").bound(parameter.type);
  parameter.max = reader.at("max").bound(parameter.type);
  if (parameter.min && parameter.max && *parameter.min > *parameter.max) reader.at("min").fail(fmt::format("at most 'max', which is {}", *parameter.max));
  if (const Reader choices = reader.at("choices"); !choices.json().is_null()) {
    if (parameter.type != "string" && parameter.type != "list<string>") choices.fail("null for a parameter that is not a string");
    parameter.choices = choices.texts();
    if (parameter.choices.empty()) choices.fail("null or at least one choice");
  }
  parameter.required = reader.at("required").boolean();
  parameter.description = reader.at("description").sentence();
  read_names(reader, parameter);
  if (has_fields) parameter.fields = parse_fields(reader.at("fields"), strict);
  check_default(parameter, reader.at("default"));
  parameter.default_value = reader.at("default").json();
  return parameter;
}

PortInfo parse_port(const Reader& reader, bool input, bool strict) {
  if (strict)
    input ? reader.allow_only({"name", "type", "edge", "optional", "columns_needed", "needs_end"})
          : reader.allow_only({"name", "type", "edge", "columns_added", "endless_without", "domain_from", "domain_unless"});
  static constexpr std::array<std::pair<std::string_view, EdgeKind>, 4> kEdges = {
      {{"stream", EdgeKind::kStream}, {"dataset", EdgeKind::kDataset}, {"artifact", EdgeKind::kArtifact}, {"model", EdgeKind::kModel}}};
  PortInfo port;
  port.name = reader.at("name").snake_case();
  port.type = reader.at("type").snake_case();
  const std::string edge = reader.at("edge").one_of({"stream", "dataset", "artifact", "model"});
  for (const auto& [word, kind] : kEdges)
    if (word == edge) port.edge = kind;
  if (input) port.optional = reader.at("optional").boolean();
  port.columns = reader.at(input ? "columns_needed" : "columns_added").texts();
  if (const char* key = input ? "needs_end" : "endless_without"; reader.has(key)) {
    if (port.edge != EdgeKind::kDataset) reader.at(key).fail("nothing: only a dataset may have no end");
    if (input) port.needs_end = reader.at(key).boolean();
    else port.endless_without = reader.at(key).texts();
  }
  if (!input && reader.has("domain_from")) {
    port.domain_from = reader.at("domain_from").text();
    port.domain_unless = reader.at("domain_unless").texts();
  }
  return port;
}

std::vector<PortInfo> parse_ports(const Reader& reader, bool input, bool strict) {
  std::vector<PortInfo> ports;
  std::set<std::string> names;
  for (const Reader& item : reader.items()) {
    ports.push_back(parse_port(item, input, strict));
    if (!names.insert(ports.back().name).second) item.at("name").fail("a name that no earlier port has");
  }
  if (ports.size() > FLOWRUN_MAX_PORTS) wrong_count(reader.path(), ports.size(), "ports", fmt::format("at most {}", FLOWRUN_MAX_PORTS));
  return ports;
}

/// Returns whether the port is written as a key of the node's table, beside its parameters.
bool is_key(const PortInfo& port) { return port.edge == EdgeKind::kArtifact || port.edge == EdgeKind::kModel; }

std::vector<ParameterInfo> parse_parameters(const Reader& reader, const std::vector<PortInfo>& inputs, bool strict) {
  std::set<std::string> names;
  for (const PortInfo& port : inputs)
    if (is_key(port)) names.insert(port.name);
  std::vector<ParameterInfo> parameters;
  for (const Reader& item : reader.items()) {
    parameters.push_back(parse_parameter(item, strict));
    if (!names.insert(parameters.back().name).second) item.at("name").fail("a name that no other parameter, artifact port or model port has");
  }
  return parameters;
}

ConstraintInfo parse_constraint(const Reader& reader, const DescriptorInfo& info, bool strict) {
  if (strict) reader.allow_only({"kind", "names"});
  ConstraintInfo constraint;
  constraint.kind = reader.at("kind").one_of({"less_or_equal", "exactly_one_of", "at_most_one_of", "multiple_of"});
  constraint.names = reader.at("names").texts();
  const bool numeric = constraint.kind == "less_or_equal" || constraint.kind == "multiple_of";
  if (numeric ? constraint.names.size() != 2 : constraint.names.size() < 2)
    wrong_count(reader.at("names").path(), constraint.names.size(), "names", numeric ? "two" : "at least two");
  for (const Reader& name : reader.at("names").items()) {
    const ParameterInfo* parameter = info.parameter(name.text());
    const PortInfo* port = info.input(name.text());
    if (constraint.kind == "multiple_of" && (parameter == nullptr || parameter->type != "integer")) name.fail("an integer parameter");
    if (numeric && (parameter == nullptr || (parameter->type != "integer" && parameter->type != "float"))) name.fail("a parameter that is a number");
    if (parameter == nullptr && (port == nullptr || !is_key(*port))) name.fail("a parameter, artifact port or model port");
  }
  return constraint;
}

/// The fingerprint is JSON text of its own: an object of strings, numbers and booleans.
std::optional<std::string> parse_fingerprint(const Reader& reader, const std::string& tier) {
  if (reader.json().is_null() != (tier == "portable")) reader.fail(tier == "portable" ? "null for a portable plugin" : "a string for a native plugin");
  if (reader.json().is_null()) return std::nullopt;
  const Json fields = Json::parse(reader.text(), nullptr, false);
  const auto is_plain = [](const Json& field) { return field.is_primitive() && !field.is_null(); };
  if (!fields.is_object() || fields.empty() || !std::all_of(fields.begin(), fields.end(), is_plain))
    reader.fail("JSON text of an object whose values are strings, numbers or booleans");
  return reader.text();
}

std::size_t count(const std::vector<PortInfo>& ports, EdgeKind edge) {
  return static_cast<std::size_t>(std::count_if(ports.begin(), ports.end(), [&](const PortInfo& port) { return port.edge == edge; }));
}

/// Checks that the ports are those which the functions of the kind can serve (abi.h).
void check_ports(const DescriptorInfo& info) {
  const std::size_t streams = count(info.inputs, EdgeKind::kStream), datasets = count(info.inputs, EdgeKind::kDataset);
  const std::size_t streams_out = count(info.outputs, EdgeKind::kStream);
  const auto expect = [&](bool right, const char* key, std::string_view expected) {
    if (!right) wrong(key, "not what its kind can serve", fmt::format("{} for kind {}", expected, info.kind));
  };
  if (info.kind == "source") {
    expect(streams + datasets == 0, "inputs", "no stream and no dataset");
    expect(info.outputs.size() == 1 && streams_out == 1, "outputs", "one stream");
  } else if (info.kind == "map") {
    expect(streams == 1 && datasets == 0, "inputs", "one stream");
    expect(streams_out >= 1 && streams_out == info.outputs.size(), "outputs", "streams, at least one");
  } else if (info.kind == "serial") {
    expect(streams >= 1 && datasets == 0, "inputs", "at least one stream and no dataset");
    expect(streams_out == info.outputs.size(), "outputs", "streams alone");
  } else if (info.kind == "blocking") {
    // One without any input makes its artifact from parameters alone.
    expect((streams >= 1 || info.inputs.empty()) && datasets == 0, "inputs", "at least one stream or nothing, and no dataset");
    expect(info.outputs.size() == 1, "outputs", "one artifact or stream");
  } else if (info.kind == "indexed") {
    expect(datasets >= 1 && streams == 0, "inputs", "at least one dataset and no stream");
    expect(info.outputs.size() == 1, "outputs", "one output");
  }
}

/// Checks what an output says of parameters.
void check_named_parameters(const Reader& port, const DescriptorInfo& info) {
  for (const char* key : {"endless_without", "domain_unless"})
    if (port.has(key))
      for (const Reader& name : port.at(key).items())
        if (info.parameter(name.text()) == nullptr) name.fail("a parameter");
  if (!port.has("domain_from")) return;
  const ParameterInfo* domain = info.parameter(port.at("domain_from").text());
  if (info.kind != "source" || domain == nullptr || domain->type != "string") port.at("domain_from").fail("a parameter of a source that is a string");
}

Json parse_json(std::string_view text) {
  if (text.size() > kDescriptorBytesMax)
    throw Error(Code::kUnavailable, fmt::format("descriptor has {} bytes, expected at most {}", text.size(), kDescriptorBytesMax));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::string_view what = error.what();
    const auto start = what.find("] ");
    throw Error(Code::kUnavailable, fmt::format("descriptor is not JSON: {}", start == what.npos ? what : what.substr(start + 2)));
  }
}

template <class Info>
const Info* find_by_name(const std::vector<Info>& all, std::string_view name) noexcept {
  for (const Info& info : all)
    if (info.name == name) return &info;
  return nullptr;
}

}  // namespace

bool is_snake_case(std::string_view name) noexcept {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_lower(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_plugin_id(std::string_view id) noexcept {
  const auto slash = id.find('/');
  return slash != id.npos && is_snake_case(id.substr(0, slash)) && is_snake_case(id.substr(slash + 1));
}

const ParameterInfo* DescriptorInfo::parameter(std::string_view name) const noexcept { return find_by_name(parameters, name); }
const PortInfo* DescriptorInfo::input(std::string_view name) const noexcept { return find_by_name(inputs, name); }
const PortInfo* DescriptorInfo::output(std::string_view name) const noexcept { return find_by_name(outputs, name); }

DescriptorInfo parse_descriptor(std::string_view json) {
  const Json document = parse_json(json);
  const Reader root(document, "");
  if (!document.is_object()) throw Error(Code::kUnavailable, fmt::format("descriptor is {}, expected an object", describe(document)));

  DescriptorInfo info;
  info.abi_major = root.at("abi").at("major").version_number();
  info.abi_minor = root.at("abi").at("minor").version_number();
  if (info.abi_major != FLOWRUN_ABI_MAJOR)
    throw Error(Code::kUnavailable, fmt::format("built for plugin ABI {}.{}, expected {}.x; rebuild it with the SDK of this flowrun", info.abi_major,
                                                info.abi_minor, FLOWRUN_ABI_MAJOR));
  // A later minor version may have added keys, which then mean nothing here; in one that is known a key too many is a typo.
  const bool strict = info.abi_minor <= FLOWRUN_ABI_MINOR;
  if (strict)
    root.allow_only({"abi", "id", "version", "summary", "tier", "kind", "inputs", "outputs", "parameters", "constraints", "declares_state", "determinism",
                     "threads", "devices", "source", "example", "fingerprint"});

  info.id = root.at("id").text();
  if (!is_plugin_id(info.id)) root.at("id").fail("<family>/<name> in snake_case");
  info.version = root.at("version").sentence();
  info.summary = root.at("summary").sentence();
  info.tier = root.at("tier").one_of({"portable", "native"});
  info.kind = root.at("kind").one_of({"source", "map", "serial", "blocking", "indexed", "native"});
  if ((info.tier == "native") != (info.kind == "native")) root.at("kind").fail("'native' for the native tier and for it alone");
  info.inputs = parse_ports(root.at("inputs"), true, strict);
  info.outputs = parse_ports(root.at("outputs"), false, strict);
  for (const Reader& port : root.at("inputs").items())
    if (contains(kReservedKeys, port.at("name").text()) && is_key(*info.input(port.at("name").text())))
      port.at("name").fail("a name that is not a reserved key of a node");
  check_ports(info);
  info.parameters = parse_parameters(root.at("parameters"), info.inputs, strict);
  for (const Reader& port : root.at("outputs").items()) check_named_parameters(port, info);
  for (const Reader& item : root.at("constraints").items()) info.constraints.push_back(parse_constraint(item, info, strict));
  info.declares_state = root.at("declares_state").boolean();
  info.determinism = root.at("determinism").one_of({"pure", "seeded", "stateful"});
  info.threads = root.at("threads").sentence();
  for (const Reader& device : root.at("devices").items()) info.devices.push_back(device.one_of({"cpu", "cuda"}));
  if (info.devices.empty()) root.at("devices").fail("at least one device");
  info.source = root.at("source").text();
  info.example = root.at("example").text();
  info.fingerprint = parse_fingerprint(root.at("fingerprint"), info.tier);
  return info;
}

}  // namespace flowrun::plugin
