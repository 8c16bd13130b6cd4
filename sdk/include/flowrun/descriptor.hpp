#pragma once

// A plugin's descriptor: what it is, its ports and its parameters. It is the one source of TOML checking, defaults, `flowrun inspect` and
// the generated README, and is read from the library's ELF section `.flowrun` without running the plugin's code.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun {

namespace json {

/// Returns `text` as a JSON string.
inline std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') (out += '\\') += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (byte < 0x20) ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    else out += c;
  }
  return out += '"';
}

/// Returns the shortest decimal that reads back as `value`; always with a point or an exponent. Not finite: null.
inline std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string out(text, end);
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

inline std::string list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1) out += ',';
    out += quote(text);
  }
  return out += "]";
}

}  // namespace json

/// One parameter. Made by `integer("name")` and its siblings, then refined.
class Parameter {
 public:
  Parameter(std::string name, std::string type) : name_(std::move(name)), type_(std::move(type)) {}
  Parameter& about(std::string sentence) { description_ = std::move(sentence); return *this; }
  Parameter& unit(std::string unit) { unit_ = std::move(unit); return *this; }
  Parameter& required() { required_ = true; return *this; }
  Parameter& defaults(bool value) { default_ = value ? "true" : "false"; return *this; }
  Parameter& defaults(int value) { return defaults(std::int64_t{value}); }
  Parameter& defaults(std::int64_t value) { default_ = type_ == "float" ? json::number(static_cast<double>(value)) : std::to_string(value); return *this; }
  Parameter& defaults(double value) { default_ = json::number(value); return *this; }
  Parameter& defaults(const char* value) { default_ = json::quote(value); return *this; }
  Parameter& defaults(const std::vector<std::string>& values) { default_ = json::list(values); return *this; }
  /// Sets an inclusive range. Integers up to 2^53 are kept exactly.
  Parameter& range(double min, double max) { return min_value(min).max_value(max); }
  Parameter& min_value(double min) { min_ = bound(min); return *this; }
  Parameter& max_value(double max) { max_ = bound(max); return *this; }
  Parameter& choices(std::vector<std::string> values) { choices_ = json::list(values); return *this; }
  /// Of `numbers_by_key`: the keys are domains of the input's documents. One that is not named has the number `otherwise`, and 0 leaves a domain out. The host
  /// warns of domains that no reader gives, and refuses numbers that leave out all that there are.
  Parameter& names_domains(double otherwise) { names_ = "\"domain\",\"otherwise\":" + json::number(otherwise); return *this; }
  /// Of `string` and `strings`: names of columns of the input. Before the first stage the host opens a node that names some with the columns that its inputs
  /// will have, while its artifacts may not be there yet: so `open` checks columns before anything else.
  Parameter& names_columns() { names_ = "\"column\""; return *this; }
  /// Adds a field of the tables in a list; of any type but a file's and another list of tables.
  Parameter& field(const Parameter& parameter) {
    if (!fields_.empty()) fields_ += ',';
    fields_ += parameter.to_json();
    return *this;
  }

  std::string to_json() const {
    return "{\"name\":" + json::quote(name_) + ",\"type\":" + json::quote(type_) + ",\"unit\":" + (unit_.empty() ? "null" : json::quote(unit_)) +
           ",\"default\":" + default_ + ",\"min\":" + min_ + ",\"max\":" + max_ + ",\"choices\":" + choices_ + ",\"required\":" + (required_ ? "true" : "false") +
           ",\"description\":" + json::quote(description_) + (names_.empty() ? "" : ",\"names\":" + names_) + (type_ == "list<table>" ? ",\"fields\":[" + fields_ + "]" : "") + "}";
  }

 private:
  std::string bound(double value) const {
    return type_ == "integer" && std::isfinite(value) ? std::to_string(static_cast<std::int64_t>(value)) : json::number(value);
  }

  std::string name_, type_, unit_, description_, names_, fields_;
  std::string default_ = "null", min_ = "null", max_ = "null", choices_ = "null";
  bool required_ = false;
};

inline Parameter boolean(std::string name) { return {std::move(name), "boolean"}; }
inline Parameter integer(std::string name) { return {std::move(name), "integer"}; }
inline Parameter number(std::string name) { return {std::move(name), "float"}; }
inline Parameter string(std::string name) { return {std::move(name), "string"}; }
/// A file that is read; its digest is part of the node's key.
inline Parameter path(std::string name) { return {std::move(name), "path"}; }
/// Files that are read, by globs; sorted by name, digests part of the key.
inline Parameter paths(std::string name) { return {std::move(name), "paths"}; }
/// A file that a writer gives, or a folder of files, relative to the run's folder; of the key only its suffix is a part.
inline Parameter output_path(std::string name) { return {std::move(name), "output_path"}; }
inline Parameter strings(std::string name) { return {std::move(name), "list<string>"}; }
inline Parameter numbers_by_key(std::string name) { return {std::move(name), "table<float>"}; }
/// A list of tables whose keys are the parameter's fields.
inline Parameter tables(std::string name) { return {std::move(name), "list<table>"}; }

/// How an edge enters or leaves a port.
enum class Edge {
  kStream,    ///< batches in order
  kDataset,   ///< rows by position; a stream that enters is spooled first
  kArtifact,  ///< one finished, immutable folder of a type
  kModel,     ///< a reference to a model graph
};

/// One port. `type` is documents, tokens, batch, hidden, logits, loss or step, an artifact's type such as "tokenizer", or "model".
class Port {
 public:
  Port(std::string name, std::string type, Edge edge = Edge::kStream) : name_(std::move(name)), type_(std::move(type)), edge_(edge) {}
  Port& optional() { optional_ = true; return *this; }
  /// Inputs: columns that must be there beside those of the type. Outputs: columns that the node adds.
  Port& columns(std::vector<std::string> names) { columns_ = std::move(names); return *this; }
  /// Inputs that are datasets: rows without end are refused before anything runs.
  Port& needs_end() { needs_end_ = true; return *this; }
  /// Outputs that are datasets: the rows have no end unless one of these parameters is given.
  Port& endless_without(std::vector<std::string> parameters) { endless_without_ = std::move(parameters); return *this; }
  /// Outputs of sources: all documents have the domain that `parameter` says, unless one of the others is given and they bring their own. A source that says
  /// nothing of it may give any domain; any other node gives those of its inputs, unless it has the column `domain` among those that it adds.
  Port& domain_from(std::string parameter, std::vector<std::string> unless = {}) { domain_from_ = std::move(parameter); domain_unless_ = std::move(unless); return *this; }

  std::string to_json(bool input) const {
    static constexpr const char* kEdges[] = {"stream", "dataset", "artifact", "model"};
    return "{\"name\":" + json::quote(name_) + ",\"type\":" + json::quote(type_) + ",\"edge\":" + json::quote(kEdges[static_cast<int>(edge_)]) +
           (input ? std::string(",\"optional\":") + (optional_ ? "true" : "false") + ",\"columns_needed\":" : std::string(",\"columns_added\":")) +
           json::list(columns_) + (needs_end_ ? ",\"needs_end\":true" : "") +
           (endless_without_.empty() ? std::string() : ",\"endless_without\":" + json::list(endless_without_)) +
           (domain_from_.empty() ? std::string() : ",\"domain_from\":" + json::quote(domain_from_) + ",\"domain_unless\":" + json::list(domain_unless_)) + "}";
  }

 private:
  std::string name_, type_, domain_from_;
  Edge edge_;
  bool optional_ = false, needs_end_ = false;
  std::vector<std::string> columns_, endless_without_, domain_unless_;
};

/// Describes a plugin. The node's kind and tier are filled in by the class that it derives from.
class Descriptor {
 public:
  Descriptor(std::string id, std::string version) : id_(std::move(id)), version_(std::move(version)) {}
  Descriptor& summary(std::string sentence) { summary_ = std::move(sentence); return *this; }
  Descriptor& input(Port port) { return append(inputs_, port.to_json(true)); }
  Descriptor& output(Port port) { return append(outputs_, port.to_json(false)); }
  Descriptor& parameter(const Parameter& parameter) { return append(parameters_, parameter.to_json()); }
  /// "pure": input and parameters decide; "seeded": and the node's seed; "stateful": and what came before.
  Descriptor& determinism(std::string kind) { determinism_ = std::move(kind); return *this; }
  /// Says in a sentence which calls may run at once.
  Descriptor& threads(std::string sentence) { threads_ = std::move(sentence); return *this; }
  Descriptor& devices(std::vector<std::string> names) { devices_ = json::list(names); return *this; }
  /// Names the paper or specification.
  Descriptor& source(std::string text) { source_ = std::move(text); return *this; }
  /// Gives the TOML of one node, as it stands in the README.
  Descriptor& example(std::string toml) { example_ = std::move(toml); return *this; }
  /// Declares state that grows with the input: the key `memory_bytes` is then allowed.
  Descriptor& declares_state() { state_ = true; return *this; }

  // Constraints between parameters (and artifact ports); each is checked before anything runs.
  Descriptor& less_or_equal(std::string a, std::string b) { return constrain("less_or_equal", {std::move(a), std::move(b)}); }
  Descriptor& exactly_one_of(std::vector<std::string> names) { return constrain("exactly_one_of", names); }
  Descriptor& at_most_one_of(std::vector<std::string> names) { return constrain("at_most_one_of", names); }
  /// `a` must be a multiple of `b`.
  Descriptor& multiple_of(std::string a, std::string b) { return constrain("multiple_of", {std::move(a), std::move(b)}); }

  std::string to_json(std::string_view tier, std::string_view kind, std::string_view fingerprint = {}) const {
    return "{\"abi\":{\"major\":1,\"minor\":0},\"id\":" + json::quote(id_) + ",\"version\":" + json::quote(version_) + ",\"summary\":" + json::quote(summary_) +
           ",\"tier\":" + json::quote(tier) + ",\"kind\":" + json::quote(kind) + ",\"inputs\":[" + inputs_ + "],\"outputs\":[" + outputs_ +
           "],\"parameters\":[" + parameters_ + "],\"constraints\":[" + constraints_ + "],\"declares_state\":" + (state_ ? "true" : "false") +
           ",\"determinism\":" + json::quote(determinism_) + ",\"threads\":" + json::quote(threads_) + ",\"devices\":" + devices_ +
           ",\"source\":" + json::quote(source_) + ",\"example\":" + json::quote(example_) +
           ",\"fingerprint\":" + (fingerprint.empty() ? "null" : json::quote(fingerprint)) + "}";
  }

 private:
  Descriptor& append(std::string& list, const std::string& item) {
    if (!list.empty()) list += ',';
    list += item;
    return *this;
  }
  Descriptor& constrain(const char* kind, const std::vector<std::string>& names) {
    return append(constraints_, "{\"kind\":" + json::quote(kind) + ",\"names\":" + json::list(names) + "}");
  }

  std::string id_, version_, summary_, source_, example_;
  std::string determinism_ = "pure", threads_ = "Any number of calls at once.", devices_ = "[\"cpu\"]";
  std::string inputs_, outputs_, parameters_, constraints_;
  bool state_ = false;
};

}  // namespace flowrun
