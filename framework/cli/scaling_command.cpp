// `flowrun scaling`: what a budget of compute, a model's size or a number of tokens asks for by the scaling laws of base/scaling.hpp.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/scaling.hpp"
#include "cli/commands.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {
namespace {

using scaling::Allocation;

struct Settings {
  std::optional<double> flops, parameters, tokens;  ///< one of them, or none where `loss` is asked about alone
  std::optional<double> unique_tokens, loss;
  bool json = false;
};

struct Suffix {
  char letter;
  double factor;
};
constexpr Suffix kSuffixes[] = {{'k', 1e3}, {'M', 1e6}, {'B', 1e9}, {'T', 1e12}};
constexpr double kLargest = 1e60;  ///< far beyond any use, and no law overflows

/// Reads a number such as 1e24, 70B or 1.4T. Throws CLI::ValidationError.
double parse_number(const std::string& option, const std::string& text, double least) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  bool good = error == std::errc() && end - rest <= 1;
  if (good && rest != end) {
    const auto* suffix = std::find_if(std::begin(kSuffixes), std::end(kSuffixes), [&](const Suffix& each) { return each.letter == *rest; });
    good = suffix != std::end(kSuffixes);
    if (good) value *= suffix->factor;
  }
  if (!good || !(value >= least && value <= kLargest))
    throw CLI::ValidationError(option, fmt::format("'{}' is not a number of {} to {:g}, such as 1e24, 350M, 70B or 1.4T (suffixes k, M, B, T)", text, least, kLargest));
  return value;
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& value, const std::string& description, double least = 1) {
  return command.add_option_function<std::string>(name, [name, &value, least](const std::string& text) { value = parse_number(name, text, least); }, description)->type_name("N")->take_last();
}

/// Returns the answer of one law to what was given.
Allocation answer(const scaling::Frontier& frontier, const Settings& settings) {
  if (settings.flops) return frontier.for_flops(*settings.flops);
  if (settings.parameters) return frontier.for_parameters(*settings.parameters);
  return frontier.for_tokens(*settings.tokens);
}

nlohmann::ordered_json allocation_json(const char* name, const Allocation& allocation) {
  return {{"name", name}, {"params", allocation.parameters}, {"tokens", allocation.tokens}, {"tokens_per_param", allocation.tokens / allocation.parameters}};
}

nlohmann::ordered_json to_json(const Settings& settings) {
  const auto number = [](const std::optional<double>& value) { return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(); };
  nlohmann::ordered_json root{{"version", 1}, {"flops", number(settings.flops)}, {"params", number(settings.parameters)}, {"tokens", number(settings.tokens)},
                              {"unique_tokens", number(settings.unique_tokens)}, {"methods", nlohmann::ordered_json::array()}, {"reference", nlohmann::ordered_json::array()}, {"loss", nullptr}};
  for (const auto& law : scaling::laws()) {
    if (!settings.flops && !settings.parameters && !settings.tokens) break;
    const Allocation found = answer(law.frontier, settings);
    auto method = allocation_json(law.name, found);
    method["flops"] = scaling::training_flops(found);
    method["source"] = law.source;
    if (settings.unique_tokens) {
      method["epochs"] = found.tokens / *settings.unique_tokens;
      method["effective_tokens"] = scaling::effective_tokens(found.tokens, *settings.unique_tokens);
    }
    root["methods"].push_back(std::move(method));
  }
  for (const auto& reference : scaling::kReferences) {
    auto row = allocation_json(reference.name, reference.allocation);
    row["flops"] = reference.flops;
    row["flops_6nd"] = scaling::training_flops(reference.allocation);
    row["note"] = reference.note;
    root["reference"].push_back(std::move(row));
  }
  if (settings.loss)
    root["loss"] = {{"nats", *settings.loss}, {"perplexity", scaling::perplexity(*settings.loss)}, {"branching_factor", scaling::perplexity(*settings.loss)}, {"bits_per_token", scaling::bits(*settings.loss)}};
  return root;
}

/// Writes a number with three digits and the suffix that this command reads.
std::string short_number(double value) {
  for (const auto* suffix = std::end(kSuffixes); suffix-- != std::begin(kSuffixes);)
    if (value >= suffix->factor && value < 1e4 * suffix->factor) return fmt::format("{:.3g}{}", value / suffix->factor, suffix->letter);
  return fmt::format("{:.3g}", value);
}

std::string method_line(const nlohmann::ordered_json& row, bool repeats) {
  std::string line = fmt::format("{:<12} {:>10} {:>10} {:>9.1f} {:>10.2e}", row["name"].get<std::string>(), short_number(row["params"]), short_number(row["tokens"]), row["tokens_per_param"].get<double>(),
                                 row["flops"].get<double>());
  if (repeats) line += fmt::format(" {:>8.3g} {:>10}", row["epochs"].get<double>(), short_number(row["effective_tokens"]));
  return line;
}

std::string to_text(const nlohmann::ordered_json& root) {
  std::string text;
  const bool repeats = !root["unique_tokens"].is_null();
  if (const auto& methods = root["methods"]; !methods.empty()) {
    text += fmt::format("{:<12} {:>10} {:>10} {:>9} {:>10}", "", "parameters", "tokens", "tokens/N", "FLOPs");
    text += repeats ? fmt::format(" {:>8} {:>10}  source\n", "epochs", "worth") : "  source\n";
    bool many = false;
    for (const auto& row : methods) {
      text += fmt::format("{}  {}\n", method_line(row, repeats), row["source"].get<std::string>());
      many = many || (repeats && row["epochs"].get<double>() > scaling::kHarmlessEpochs);
    }
    for (const auto& row : root["reference"]) text += fmt::format("{}{:{}}  {}\n", method_line(row, false), "", repeats ? 20 : 0, row["note"].get<std::string>());
    if (repeats) text += fmt::format("worth: as many new tokens as these, of {} different ones (Muennighoff et al. 2023, equation 5)\n", short_number(root["unique_tokens"]));
    if (many) text += fmt::format("above {} epochs repeated tokens lose much of their worth\n", scaling::kHarmlessEpochs);
  }
  if (const auto& loss = root["loss"]; !loss.is_null())
    text += fmt::format("a loss of {:g} nats a token: perplexity {:.2f}, as unsure as among {:.2f} equally likely tokens (branching factor), {:.3f} bits a token\n", loss["nats"].get<double>(),
                        loss["perplexity"].get<double>(), loss["branching_factor"].get<double>(), loss["bits_per_token"].get<double>());
  return text;
}

}  // namespace

void add_scaling(CLI::App& app, Invocation& invocation) {
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("scaling", "Say what compute, a model's size or a number of tokens asks for by published scaling laws");
  command->footer("Numbers are written as 1e24, 350M, 70B or 1.4T. Training takes 6 N D FLOPs. What each law uses is described in docs/cli.md.");
  auto* given = command->add_option_group("given", "Exactly one of these, or --loss alone");
  std::vector<CLI::Option*> budgets{add_number(*given, "--flops", settings->flops, "Compute for training"), add_number(*given, "--params", settings->parameters, "Parameters of the model"),
                                    add_number(*given, "--tokens", settings->tokens, "Tokens to train on, repeated ones counted again")};
  add_number(*command, "--unique-tokens", settings->unique_tokens, "Different tokens that there are: adds epochs, and what repeated tokens are worth");
  add_number(*command, "--loss", settings->loss, "A loss in nats a token: adds perplexity, branching factor and bits a token", 0);
  command->add_flag("--json", settings->json, "Print it as JSON");
  command->callback([settings, budgets, &invocation] {
    const auto count = std::count_if(budgets.begin(), budgets.end(), [](const CLI::Option* option) { return option->count() > 0; });
    if (count > 1) throw CLI::ValidationError("scaling", "--flops, --params and --tokens give each other: expected one of them");
    if (count == 0 && (!settings->loss || settings->unique_tokens)) throw CLI::RequiredError("one of --flops, --params and --tokens");
    if (settings->loss && *settings->loss > 700) throw CLI::ValidationError("--loss", fmt::format("{:g} nats are no loss of a language model: its perplexity is no number", *settings->loss));
    const auto root = to_json(*settings);
    print(settings->json ? root.dump(1) + "\n" : to_text(root));
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
