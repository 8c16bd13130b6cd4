#pragma once

// A plugin's descriptor as the host reads it: parsed and checked JSON from the ELF section `.flowrun`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::plugin {

enum class EdgeKind { kStream, kDataset, kArtifact, kModel };

struct PortInfo {
  std::string name;
  std::string type;
  EdgeKind edge = EdgeKind::kStream;
  bool optional = false;
  std::vector<std::string> columns;          ///< needed (inputs) or added (outputs)
  bool needs_end = false;                    ///< inputs: rows without end are refused
  std::vector<std::string> endless_without;  ///< outputs: without any of these parameters the rows have no end
  std::string domain_from;                   ///< outputs of sources: the parameter that says the domain of all documents; "": nothing is known
  std::vector<std::string> domain_unless;    ///< with any of these parameters documents bring their domains
};

/// What a parameter's texts are names of.
enum class Names { kNothing, kColumns, kDomains };

struct ParameterInfo {
  std::string name;
  std::string type;  ///< boolean integer float string path paths output_path list<string> table<float> list<table>
  std::optional<std::string> unit;
  nlohmann::json default_value;  ///< null: none
  std::optional<double> min, max;
  std::vector<std::string> choices;
  bool required = false;
  std::string description;
  Names names = Names::kNothing;      ///< of a string or list<string>: kColumns; of the keys of a table<float>: kDomains
  double otherwise = 0;               ///< kDomains: the number of a domain that is not named; 0 leaves it out
  std::vector<ParameterInfo> fields;  ///< of a list<table>
};

/// One declared relation between parameters or artifact ports: less_or_equal, exactly_one_of, at_most_one_of, multiple_of.
struct ConstraintInfo {
  std::string kind;
  std::vector<std::string> names;
};

struct DescriptorInfo {
  std::string id, version, summary, tier, kind, determinism, threads, source, example;
  int abi_major = 0, abi_minor = 0;
  std::vector<PortInfo> inputs, outputs;
  std::vector<ParameterInfo> parameters;
  std::vector<ConstraintInfo> constraints;
  std::vector<std::string> devices;
  bool declares_state = false;
  std::optional<std::string> fingerprint;  ///< native tier only

  const ParameterInfo* parameter(std::string_view name) const noexcept;
  const PortInfo* input(std::string_view name) const noexcept;
  const PortInfo* output(std::string_view name) const noexcept;
};

/// Returns whether `name` is a lower-case letter followed by lower-case letters, digits and underscores.
bool is_snake_case(std::string_view name) noexcept;

/// Returns whether `id` is `<family>/<name>`, both in snake_case. Only such an id is ever made into a file name.
bool is_plugin_id(std::string_view id) noexcept;

/// Parses and checks a descriptor. Throws Error(kUnavailable) naming the JSON path, found and expected.
DescriptorInfo parse_descriptor(std::string_view json);

}  // namespace flowrun::plugin
