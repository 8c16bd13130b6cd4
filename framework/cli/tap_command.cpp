#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "run/tap.hpp"

namespace flowrun::cli {
namespace {

constexpr std::size_t kWidthMax = 160;  // code points of a value; the whole is in --json

struct Settings {
  run::GraphOptions options;
  std::string edge;
  std::int64_t count = 5;
  bool json = false;
};

/// Returns the text's first `kWidthMax` code points, and how much is left out.
std::string shortened(const std::string& text) {
  std::size_t points = 0, at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && points++ == kWidthMax) break;
  return at == text.size() ? text : fmt::format("{}... ({} bytes)", text.substr(0, at), text.size());
}

std::string record_text(std::size_t number, const nlohmann::ordered_json& record) {
  std::string text = fmt::format("-- {}\n", number);
  for (const auto& [name, value] : record.items()) text += fmt::format("{:<14} {}\n", name, shortened(value.dump()));
  return text;
}

std::string tapped_text(const nlohmann::ordered_json& tapped) {
  std::string text = fmt::format("{}.{}: {}\n", tapped["node"].get<std::string>(), tapped["port"].get<std::string>(), tapped["type"].get<std::string>());
  if (tapped.contains("folder")) {
    text += fmt::format("in '{}'\n", tapped["folder"].get<std::string>());
    for (const auto& file : tapped["files"]) text += fmt::format("  {:<32} {:>14} bytes\n", file["name"].get<std::string>(), file["bytes"].get<std::int64_t>());
    return text;
  }
  std::size_t number = 0;
  for (const auto& record : tapped["records"]) text += record_text(number++, record);
  return number == 0 ? text + "no record\n" : text;
}

}  // namespace

void add_tap(CLI::App& app, Invocation& invocation) {
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("tap", "Print the first records of an edge; runs what they need");
  add_graph_options(*command, settings->options);
  command->add_option("edge", settings->edge, "A node's output: its first one, or that of the port's name")->required()->type_name("NODE[.PORT]");
  command->add_option("-n", settings->count, "How many records (default 5)")->type_name("N")->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))->take_last();
  command->add_flag("--json", settings->json, "Print them as JSON, whole");
  command->callback([settings, &invocation] {
    run::Reporter reporter(run::Verbosity::kQuiet);
    const auto tapped = run::tap_graph(settings->options, settings->edge, settings->count, *invocation.stop, reporter);
    print(settings->json ? tapped.dump(1) + "\n" : tapped_text(tapped));
  });
}

}  // namespace flowrun::cli
