#include "plugin/inspect.hpp"

#include <flowrun/error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flowrun::plugin {
namespace {

using Json = nlohmann::ordered_json;

/// Returns the descriptor's own words for an edge.
const char* edge_name(EdgeKind edge) {
  switch (edge) {
    case EdgeKind::kStream: return "stream";
    case EdgeKind::kDataset: return "dataset";
    case EdgeKind::kArtifact: return "artifact";
    case EdgeKind::kModel: return "model";
  }
  return "stream";
}

/// Returns a value as TOML writes it, which for scalars and lists is how JSON does.
std::string toml_value(const nlohmann::json& value) {
  if (!value.is_object()) return value.dump();
  std::string text = "{";
  for (const auto& [key, item] : value.items()) text += fmt::format("{} {} = {}", text.size() > 1 ? "," : "", key, item.dump());
  return text + " }";
}

/// Returns a bound as the parameter's type writes it: whole for an integer.
std::string bound(double value, const std::string& type) {
  return type == "integer" ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
}

std::string range(const ParameterInfo& parameter) {
  if (!parameter.choices.empty()) return fmt::format("\"{}\"", fmt::join(parameter.choices, "\", \""));
  if (parameter.min && parameter.max) return bound(*parameter.min, parameter.type) + " to " + bound(*parameter.max, parameter.type);
  if (parameter.min) return "at least " + bound(*parameter.min, parameter.type);
  if (parameter.max) return "at most " + bound(*parameter.max, parameter.type);
  return "";
}

std::string default_text(const ParameterInfo& parameter) {
  if (parameter.required) return "required";
  return parameter.default_value.is_null() ? "none" : toml_value(parameter.default_value);
}

std::string describe(const ConstraintInfo& constraint) {
  if (constraint.kind == "less_or_equal") return fmt::format("`{}` <= `{}`", constraint.names[0], constraint.names[1]);
  if (constraint.kind == "multiple_of") return fmt::format("`{}` is a multiple of `{}`", constraint.names[0], constraint.names[1]);
  return fmt::format("{} `{}`", constraint.kind == "exactly_one_of" ? "exactly one of" : "at most one of", fmt::join(constraint.names, "`, `"));
}

/// Returns a text that cannot end a Markdown table's cell.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

/// Returns what a dataset's end depends on, after its kind of edge; names stand between `mark`s.
std::string end_text(const PortInfo& port, const char* mark) {
  if (port.needs_end) return " with an end";
  if (port.endless_without.empty()) return "";
  return fmt::format(", endless without {0}{1}{0}", mark, fmt::join(port.endless_without, fmt::format("{0} or {0}", mark)));
}

std::string ports_table(const DescriptorInfo& info) {
  std::string text = "| port | direction | type | edge | columns |\n|---|---|---|---|---|\n";
  const auto row = [&](const PortInfo& port, const char* direction, const char* verb) {
    const std::string columns = port.columns.empty() ? "" : fmt::format("{} `{}`", verb, fmt::join(port.columns, "`, `"));
    text += fmt::format("| `{}` | {}{} | {} | {}{} | {} |\n", port.name, direction, port.optional ? ", optional" : "", port.type, edge_name(port.edge), end_text(port, "`"), cell(columns));
  };
  for (const PortInfo& port : info.inputs) row(port, "in", "needs");
  for (const PortInfo& port : info.outputs) row(port, "out", "adds");
  return text;
}

/// Returns the parameters with the fields of those that are lists of tables behind them, as `stages[].weights`.
std::vector<ParameterInfo> with_fields(const DescriptorInfo& info) {
  std::vector<ParameterInfo> all;
  for (const ParameterInfo& parameter : info.parameters) {
    all.push_back(parameter);
    for (ParameterInfo field : parameter.fields) {
      field.name = parameter.name + "[]." + field.name;
      all.push_back(std::move(field));
    }
  }
  return all;
}

std::string parameters_table(const DescriptorInfo& info) {
  std::string text = "| parameter | type | unit | range | default | |\n|---|---|---|---|---|---|\n";
  for (const ParameterInfo& parameter : with_fields(info))
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", parameter.name, parameter.type, cell(parameter.unit.value_or("")), cell(range(parameter)),
                        parameter.required || parameter.default_value.is_null() ? default_text(parameter) : fmt::format("`{}`", cell(default_text(parameter))),
                        cell(parameter.description));
  return text;
}

/// Returns the fingerprint as an object, or null.
Json fingerprint_json(const DescriptorInfo& info) { return info.fingerprint ? Json::parse(*info.fingerprint) : Json(); }

void require_descriptor(const PluginFile& file) {
  if (!file.descriptor) throw Error(Code::kUnavailable, file.reason);
}

}  // namespace

Json inspect_json(const PluginFile& file, std::string_view digest) {
  require_descriptor(file);
  const DescriptorInfo& info = *file.descriptor;
  // Ports and parameters stand in the descriptor as they are printed: taken over whole, so that nothing is lost on the way.
  const Json raw = Json::parse(file.raw_descriptor);
  Json out;
  for (const char* key : {"id", "version", "tier", "kind", "inputs", "outputs", "parameters", "determinism", "threads", "devices", "source"}) out[key] = raw.at(key);
  out["file"] = file.file;
  out["sha256"] = digest;
  out["abi"] = {{"major", info.abi_major}, {"minor", info.abi_minor}};
  out["fingerprint"] = fingerprint_json(info);
  for (const char* key : {"summary", "constraints", "declares_state", "example"}) out[key] = raw.at(key);
  out["status"] = file.refused ? "refused" : "ok";
  out["reason"] = file.refused ? Json(file.reason) : Json();
  return out;
}

std::string inspect_text(const PluginFile& file, std::string_view digest) {
  require_descriptor(file);
  const DescriptorInfo& info = *file.descriptor;
  std::string text = fmt::format("{} {}: {}\n", info.id, info.version, info.summary);
  text += fmt::format("  kind         {} ({} tier, plugin ABI {}.{})\n", info.kind, info.tier, info.abi_major, info.abi_minor);
  const auto ports = [&](const std::vector<PortInfo>& all, const char* label) {
    for (const PortInfo& port : all)
      text += fmt::format("  {:<12} {}: {} ({}{}{}){}\n", label, port.name, port.type, edge_name(port.edge), end_text(port, "'"), port.optional ? ", optional" : "",
                          port.columns.empty() ? "" : fmt::format(", columns {}", fmt::join(port.columns, ", ")));
  };
  ports(info.inputs, "input");
  ports(info.outputs, "output");
  for (const ParameterInfo& parameter : with_fields(info)) {
    text += fmt::format("  parameter    {}: {}", parameter.name, parameter.type);
    if (parameter.unit) text += fmt::format(", {}", *parameter.unit);
    if (const std::string values = range(parameter); !values.empty()) text += fmt::format(", {}", values);
    text += fmt::format(", {}{}: {}\n", parameter.required ? "" : "default ", default_text(parameter), parameter.description);
  }
  for (const ConstraintInfo& constraint : info.constraints) text += fmt::format("  constraint   {}\n", describe(constraint));
  text += fmt::format("  determinism  {}\n  threads      {}\n  devices      {}\n", info.determinism, info.threads, fmt::join(info.devices, ", "));
  if (!info.source.empty()) text += fmt::format("  source       {}\n", info.source);
  text += fmt::format("  file         {}\n  sha256       {}\n", file.file, digest);
  if (file.refused) text += fmt::format("  refused      {}\n", file.reason);
  return text;
}

std::string inspect_markdown(const DescriptorInfo& info) {
  std::string text = fmt::format("# {}\n\n<!-- Made by `flowrun inspect --markdown {}`: do not edit. -->\n\n{}\n", info.id, info.id, info.summary);
  if (!info.example.empty()) text += fmt::format("\n```toml\n{}{}```\n", info.example, info.example.back() == '\n' ? "" : "\n");
  text += "\n## Ports\n\n" + ports_table(info);
  if (!info.parameters.empty()) text += "\n## Parameters\n\n" + parameters_table(info);
  if (!info.constraints.empty()) text += "\n## Constraints\n\n";
  for (const ConstraintInfo& constraint : info.constraints) text += fmt::format("- {}\n", describe(constraint));
  text += fmt::format("\n## Contract\n\n- Kind: {} ({} tier).\n- Determinism: {}.\n- Threads: {}\n- Devices: {}.\n", info.kind, info.tier, info.determinism,
                      info.threads, fmt::join(info.devices, ", "));
  if (info.declares_state) text += "- State grows with the input: the key `memory_bytes` bounds it.\n";
  if (!info.source.empty()) text += fmt::format("- Source: {}\n", info.source);
  return text;
}

Json list_json(Registry& registry) {
  Json plugins = Json::array();
  for (const PluginFile* file : registry.list()) {
    const auto say = [&](auto DescriptorInfo::*member) { return file->descriptor ? Json((*file->descriptor).*member) : Json(); };
    Json digest;
    try {
      if (!file->file.empty()) digest = registry.digest(*file);
    } catch (const Error&) {
      // A refused file may not even be readable; its reason says so.
    }
    plugins.push_back({{"id", file->id},
                       {"family", file->id.substr(0, file->id.find('/'))},
                       {"version", say(&DescriptorInfo::version)},
                       {"tier", say(&DescriptorInfo::tier)},
                       {"kind", say(&DescriptorInfo::kind)},
                       {"summary", say(&DescriptorInfo::summary)},
                       {"file", file->file.empty() ? Json() : Json(file->file)},
                       {"sha256", digest},
                       {"status", file->refused ? "refused" : "ok"},
                       {"reason", file->refused ? Json(file->reason) : Json()}});
  }
  return {{"version", 1}, {"plugins", plugins}};
}

}  // namespace flowrun::plugin
