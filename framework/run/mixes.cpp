#include "run/mixes.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "run/node_factory.hpp"
#include "run/node_warnings.hpp"
#include "run/scratch_folder.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;
using plugin::EdgeKind;

/// What mixers write beside their index.
constexpr const char* kMixtureFile = "/mixture.json";

/// Muennighoff et al. 2023, arXiv:2305.16264: up to four epochs repeated tokens are about as good as new ones, then worth less and less.
constexpr double kEpochsWithoutLoss = 4;

class Mixes {
 public:
  Mixes(const RunContext& context, std::int64_t training_tokens) : context_(context), training_tokens_(training_tokens) {
    for (std::size_t i = 0; i < context.graph.nodes.size(); ++i)
      if (node(i).native()) add_upstream(i);
  }

  nlohmann::json describe() const {
    nlohmann::json list = nlohmann::json::array();
    for (const std::size_t i : context_.graph.order)
      if (node(i).family() == "mixers" && node(i).descriptor().kind == "indexed") list.push_back(describe(i));
    return list;
  }

 private:
  const graph::ResolvedNode& node(std::size_t i) const { return context_.graph.nodes[i]; }
  bool has_artifact(std::size_t a) const { return context_.store.has(context_.plan.artifacts[a].key); }

  void add_upstream(std::size_t root) {
    for (const auto& port : node(root).inputs)
      for (const auto& from : port)
        if (trained_on_.insert(from.node).second) add_upstream(from.node);
  }

  /// Returns whether all that node `i` reads is in the cache.
  bool has_inputs(std::size_t i) const {
    for (const auto& port : node(i).inputs)
      for (const auto& from : port) {
        if (!has_artifact(context_.plan.artifact_behind(from))) return false;
        if (node(from.node).descriptor().kind == "indexed" && !has_inputs(from.node)) return false;
      }
    return true;
  }

  /// Returns what the mixer says of its mixture, or null where that needs tokens which nobody has made yet. Adds what it warns of.
  nlohmann::json mixture(std::size_t i, nlohmann::json& warnings) const {
    const auto own = context_.plan.artifact_of(i);
    if (own && has_artifact(*own)) {
      const std::string& key = context_.plan.artifacts[*own].key;
      for (const std::string& text : NodeWarnings::kept_in(context_.store.manifest(key), context_.plan.node_keys[i])) warnings.push_back(text);
      return read(context_.store.folder(key));
    }
    if (!has_inputs(i)) return nullptr;
    const ScratchFolder folder(context_.store.root());
    const graph::StageControl control(context_.stop);
    NodeWarnings said;
    Datasets(context_).prepare(i, folder.path(), control, said.keeping(i, nullptr));
    for (const std::string& text : said.of(i)) warnings.push_back(text);
    return read(folder.path());
  }

  static nlohmann::json read(const std::string& folder) {
    if (!fs::exists(folder + kMixtureFile)) return nullptr;  // a mixer that says nothing
    return nlohmann::json::parse(io::read_file(folder + kMixtureFile));
  }

  nlohmann::json describe(std::size_t i) const {
    nlohmann::json mix{{"node", node(i).name}, {"tokens", nullptr}, {"domains", nullptr}, {"stages", nullptr}, {"warnings", nlohmann::json::array()}};
    const nlohmann::json found = mixture(i, mix["warnings"]);
    if (found.is_null()) return mix;
    mix["tokens"] = found.at("tokens");
    if (mix["tokens"].is_null() && training_tokens_ > 0 && trained_on_.contains(i)) mix["tokens"] = training_tokens_;
    mix["stages"] = found.value("stages", nlohmann::json::array());
    mix["domains"] = nlohmann::json::array();
    for (const auto& domain : found.at("domains")) {
      mix["domains"].push_back(describe_domain(domain, mix["tokens"]));
      const auto& epochs = mix["domains"].back()["epochs"];
      if (!epochs.is_null() && epochs.get<double>() > kEpochsWithoutLoss)
        mix["warnings"].push_back(fmt::format("'{}' is repeated for {:.2f} epochs; above {} repeated tokens are worth less and less (Muennighoff et al. 2023, arXiv:2305.16264)",
                                              domain.at("domain").get<std::string>(), epochs.get<double>(), kEpochsWithoutLoss));
    }
    return mix;
  }

  /// Epochs count each document's tokens once, so that documents which the mixer repeats within a pass count as repeated.
  static nlohmann::json describe_domain(const nlohmann::json& domain, const nlohmann::json& tokens) {
    nlohmann::json object{{"domain", domain.at("domain")}, {"tokens", domain.at("unique_tokens")}, {"weight", domain.at("weight")}, {"proportion", domain.at("proportion")},
                          {"epochs", nullptr}, {"repeated_tokens", nullptr}};
    const auto unique = domain.at("unique_tokens").get<std::int64_t>();
    if (tokens.is_null() || unique == 0) return object;
    const bool has_end = !domain.at("drawn_tokens").is_null();
    const double drawn = has_end ? domain.at("drawn_tokens").get<double>() : domain.at("proportion").get<double>() * tokens.get<double>();
    object["epochs"] = drawn / static_cast<double>(unique);
    object["repeated_tokens"] = std::max<std::int64_t>(0, static_cast<std::int64_t>(drawn) - unique);
    return object;
  }

  const RunContext& context_;
  const std::int64_t training_tokens_;
  std::set<std::size_t> trained_on_;  ///< nodes that a training region reads, directly or not
};

/// Finds where a mixer's stages and the packer that they enter do not fit.
class StageLengths {
 public:
  StageLengths(const graph::ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics) : graph_(graph), spec_(spec), diagnostics_(diagnostics) {}

  void check() const {
    for (std::size_t packer = 0; packer < graph_.nodes.size(); ++packer) {
      const auto& node = graph_.nodes[packer];
      if (node.plugin == nullptr || !node.plugin->descriptor || node.family() != "packers") continue;
      for (const auto& port : node.inputs)
        for (const auto& from : port)
          if (graph_.nodes[from.node].parameters.value("stages", nlohmann::json()).is_array()) check(packer, from.node);
    }
  }

 private:
  void check(std::size_t packer, std::size_t mixer) const {
    const auto& node = graph_.nodes[packer];
    const auto& stages = graph_.nodes[mixer].parameters["stages"];
    const auto& parameters = node.descriptor().parameters;
    const bool can_follow = std::any_of(parameters.begin(), parameters.end(), [](const auto& parameter) { return parameter.name == "follow_stages"; });
    const auto place_tokens = integer_or_zero(node.parameters, "sequence_length");
    if (can_follow && node.parameters.value("follow_stages", nlohmann::json(true)) == nlohmann::json(false)) return;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      const auto length = integer_or_zero(stages[s], "sequence_length");
      if (length <= 0) continue;
      if (!can_follow)
        return add(packer, node.where, fmt::format("the stages of '{}' have a 'sequence_length', which {} does not follow; take it out of the stages, or pack them with packers/concat or packers/best_fit",
                                                   graph_.nodes[mixer].name, node.plugin->id));
      if (place_tokens > 0 && place_tokens % length != 0)
        add(mixer, where_of(mixer, s), fmt::format("'stages[{}].sequence_length' is {}, expected a length that divides the {} of 'sequence_length' in node '{}': shorter sequences share the place of one of these",
                                                   s, length, place_tokens, node.name));
    }
  }

  /// Values of a wrong type are reported elsewhere.
  static std::int64_t integer_or_zero(const nlohmann::json& table, const char* key) {
    return table.is_object() && table.contains(key) && table[key].is_number_integer() ? table[key].get<std::int64_t>() : 0;
  }

  void add(std::size_t node, const config::SourceLocation& where, std::string message) const {
    config::Diagnostic diagnostic;
    diagnostic.where = where;
    diagnostic.code = "constraint";
    diagnostic.message = std::move(message);
    diagnostic.node = graph_.nodes[node].name;
    diagnostics_.add(std::move(diagnostic));
  }

  /// Returns where the length of a stage stands, or where its node does.
  config::SourceLocation where_of(std::size_t mixer, std::size_t stage) const {
    for (const auto& entry : spec_.nodes[mixer].keys) {
      const auto* list = entry.key == "stages" ? std::get_if<config::Array>(&entry.value.data) : nullptr;
      const auto* table = list != nullptr && stage < list->size() ? std::get_if<config::Table>(&(*list)[stage].data) : nullptr;
      if (table == nullptr) continue;
      for (const auto& field : *table)
        if (field.key == "sequence_length") return field.value.where;
    }
    return graph_.nodes[mixer].where;
  }

  const graph::ResolvedGraph& graph_;
  const config::GraphSpec& spec_;
  config::Diagnostics& diagnostics_;
};

}  // namespace

void check_mixes(const graph::ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics) { StageLengths(graph, spec, diagnostics).check(); }

nlohmann::json describe_mixes(const RunContext& context, std::int64_t training_tokens) { return Mixes(context, training_tokens).describe(); }

}  // namespace flowrun::run
