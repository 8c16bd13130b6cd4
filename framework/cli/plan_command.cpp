#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/scaling.hpp"
#include "cli/commands.hpp"

namespace flowrun::cli {
namespace {

/// Returns a number with two decimals, or "?" where it is not known.
std::string decimal(const nlohmann::json& number) { return number.is_null() ? "?" : fmt::format("{:.2f}", number.get<double>()); }

/// Returns "  stage 0: 2000 tokens in sequences of 128, by 'length'; web 0.7500, books 0.2500".
std::string mix_stage_text(std::size_t number, const nlohmann::json& stage) {
  std::string text = fmt::format("  stage {}: {}", number, stage["tokens"].is_null() ? "without end" : fmt::format("{} tokens", stage["tokens"].dump()));
  if (!stage["sequence_length"].is_null()) text += fmt::format(" in sequences of {}", stage["sequence_length"].get<std::int64_t>());
  if (!stage["order_by"].is_null()) text += fmt::format(", by '{}'", stage["order_by"].get<std::string>());
  std::vector<std::string> shares;
  for (const auto& [domain, share] : stage["proportions"].items()) shares.push_back(fmt::format("{} {:.4f}", domain, share.get<double>()));
  return text + fmt::format("; {}\n", fmt::join(shares, ", "));
}

std::string mix_text(const nlohmann::json& mix) {
  const std::string name = mix["node"].get<std::string>();
  if (mix["domains"].is_null()) return fmt::format("mix '{}': its proportions are known once its tokens have been made\n", name);
  std::string text = fmt::format("mix '{}': {}\n", name, mix["tokens"].is_null() ? "without end" : fmt::format("{} tokens", mix["tokens"].dump()));
  text += fmt::format("  {:<20} {:>16} {:>10} {:>11} {:>8} {:>16}\n", "domain", "tokens", "weight", "proportion", "epochs", "repeated tokens");
  for (const auto& domain : mix["domains"])
    text += fmt::format("  {:<20} {:>16} {:>10.4g} {:>11.4f} {:>8} {:>16}\n", domain["domain"].get<std::string>(), domain["tokens"].dump(), domain["weight"].get<double>(),
                        domain["proportion"].get<double>(), decimal(domain["epochs"]), domain["repeated_tokens"].is_null() ? "?" : domain["repeated_tokens"].dump());
  for (std::size_t s = 0; s < mix["stages"].size(); ++s) text += mix_stage_text(s, mix["stages"][s]);
  for (const auto& warning : mix["warnings"]) text += fmt::format("  warning: {}\n", warning.get<std::string>());
  return text;
}

std::string plan_text(const nlohmann::json& plan) {
  std::string text;
  for (const auto& stage : plan["stages"]) {
    std::vector<std::string> names;
    for (const auto& node : stage["nodes"]) {
      const std::string name = node.get<std::string>(), top = name.substr(0, name.find('/'));
      if (names.empty() || names.back() != top) names.push_back(top);
    }
    text += fmt::format("stage {} ({}{}): {}\n", stage["index"].get<std::size_t>() + 1, stage["kind"].get<std::string>(), stage["cached"].get<bool>() ? ", cached" : "", fmt::join(names, ", "));
    for (const auto& artifact : stage["artifacts"])
      text += fmt::format("  {:<20} {:<10} {}{}\n", artifact["node"].get<std::string>(), artifact["type"].get<std::string>(), artifact["key"].get<std::string>().substr(0, 12),
                          artifact["cached"].get<bool>() ? fmt::format("  cached, {} bytes", artifact["bytes"].get<std::int64_t>()) : "");
  }
  for (const auto& spool : plan["spools"]) text += fmt::format("spool of '{}': {}\n", spool["node"].get<std::string>(), spool["reason"].get<std::string>());
  for (const auto& mix : plan["mixes"]) text += mix_text(mix);
  const auto& model = plan["model"];
  if (!model.is_null()) {
    const auto number = [&](const char* key) { return model[key].is_null() ? std::string("?") : model[key].dump(); };
    text += fmt::format("model: {} parameters ({} in matrix products), {} tokens = {} a parameter; Chinchilla: {} tokens\n", number("parameters"), number("parameters_matmul"), number("tokens"),
                        model["tokens_per_parameter"].is_null() ? "?" : fmt::format("{:.2f}", model["tokens_per_parameter"].get<double>()), number("chinchilla_tokens"));
    if (!model["epochs"].is_null())
      text += fmt::format("data: {:.2f} epochs of {} tokens, worth {} new ones{}\n", model["epochs"].get<double>(), number("unique_tokens"), number("effective_tokens"),
                          model["epochs"].get<double>() > scaling::kHarmlessEpochs ? fmt::format("; above {} epochs repeated tokens lose much of their worth", scaling::kHarmlessEpochs) : "");
  }
  return text + fmt::format("graph hash {}\n", plan["graph_hash"].get<std::string>());
}

}  // namespace

int print_plan(const run::GraphOptions& options, bool json) {
  run::Reporter reporter(run::Verbosity::kQuiet);
  const auto plan = run::plan_graph(options, reporter);
  print(json ? plan.dump(1) + "\n" : plan_text(plan));
  return 0;
}

void add_plan(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<run::GraphOptions>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("plan", "Show the stages, what is cached, the mixtures, and the model's size; runs nothing");
  add_graph_options(*command, *options);
  command->add_flag("--json", *json, "Print the plan as JSON");
  command->callback([options, json, &invocation] { invocation.result = print_plan(*options, *json); });
}

}  // namespace flowrun::cli
