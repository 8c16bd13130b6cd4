#include "train/metrics.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include <nlohmann/json.hpp>

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

namespace flowrun::train {
namespace {

using Json = nlohmann::ordered_json;

std::string read_if_there(const std::string& path) {
  try {
    return io::read_file(path);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return {};
  }
}

std::int64_t kept_bytes(const std::string& path, std::int64_t step) { return step == 0 ? 0 : bytes_up_to_step(read_if_there(path), step); }

}  // namespace

std::string to_json(const TrainLine& line) {
  return "{\"kind\":\"train\",\"step\":" + std::to_string(line.step) + ",\"loss\":" + json::number(line.loss) + ",\"perplexity\":" + json::number(std::exp(line.loss)) +
         ",\"lr\":" + json::number(line.lr) + ",\"grad_norm\":" + json::number(line.grad_norm) + ",\"tokens\":" + std::to_string(line.tokens) + "}";
}

std::string to_json(const EvalLine& line) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double loss = line.scored > 0 ? line.loss_sum / static_cast<double>(line.scored) : none;
  const double bits = loss / std::numbers::ln2;
  const double bits_per_byte = line.bytes > 0 ? bits * static_cast<double>(line.tokens) / static_cast<double>(line.bytes) : none;
  return "{\"kind\":\"eval\",\"step\":" + std::to_string(line.step) + ",\"evaluator\":" + json::quote(line.evaluator) + ",\"domain\":" + json::quote(line.domain) +
         ",\"loss\":" + json::number(loss) + ",\"perplexity\":" + json::number(std::exp(loss)) + ",\"bits_per_token\":" + json::number(bits) +
         ",\"bits_per_byte\":" + json::number(bits_per_byte) + ",\"tokens\":" + std::to_string(line.scored) + ",\"bytes\":" + std::to_string(line.bytes) + "}";
}

std::int64_t bytes_up_to_step(const std::string& text, std::int64_t step) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a line that a crash cut
    const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer() || line["step"].get<std::int64_t>() > step) break;
    at = end + 1;
  }
  return static_cast<std::int64_t>(at);
}

std::string last_evaluations(const std::string& metrics, bool masked) {
  std::vector<std::pair<std::string, std::vector<Json>>> evaluators;  // in the order of their first line
  for (std::size_t at = 0, end; (end = metrics.find('\n', at)) != std::string::npos; at = end + 1) {
    const Json line = Json::parse(metrics.begin() + static_cast<std::ptrdiff_t>(at), metrics.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || line.value("kind", "") != "eval") continue;
    const std::string name = line.value("evaluator", "");
    auto found = evaluators.begin();
    while (found != evaluators.end() && found->first != name) ++found;
    if (found == evaluators.end()) found = evaluators.insert(found, {name, {}});
    if (!found->second.empty() && found->second.front()["step"] != line["step"]) found->second.clear();
    found->second.push_back(line);
  }
  Json all = Json::array();
  for (auto& [name, lines] : evaluators)
    for (Json& line : lines) {
      if (masked) line["masked"] = true;
      all.push_back(std::move(line));
    }
  return all.dump();
}

MetricsLog::MetricsLog(const std::string& run_folder, std::int64_t step)
    : metrics_(run_folder + "/metrics.jsonl", kept_bytes(run_folder + "/metrics.jsonl", step)),
      timing_(run_folder + "/timing.jsonl", kept_bytes(run_folder + "/timing.jsonl", step)) {}

void MetricsLog::append_timing(std::int64_t step, double tokens_per_second, double seconds) {
  timing_.append("{\"step\":" + std::to_string(step) + ",\"tokens_per_second\":" + json::number(tokens_per_second) + ",\"seconds\":" + json::number(seconds) + "}\n");
}

void MetricsLog::sync() {
  metrics_.sync();
  timing_.sync();
}

}  // namespace flowrun::train
