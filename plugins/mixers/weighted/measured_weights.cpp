#include "measured_weights.hpp"

#include <flowrun/error.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace flowrun::mixers {

std::map<std::string, double> read_measured_weights(const std::string& folder) {
  const std::string path = folder + "/weights.json";
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path + " cannot be read");
  const auto json = nlohmann::json::parse(in, nullptr, false);
  std::map<std::string, double> weights;
  if (json.is_object() && json.contains("domains") && json["domains"].is_array())
    for (const auto& domain : json["domains"]) {
      if (!domain.is_object() || !domain.contains("domain") || !domain["domain"].is_string() || !domain.contains("weight") || !domain["weight"].is_number()) break;
      const double weight = domain["weight"].get<double>();
      if (!std::isfinite(weight) || weight < 0) break;
      weights[domain["domain"].get<std::string>()] = weight;
    }
  const std::size_t expected = json.is_object() && json.contains("domains") ? json["domains"].size() : 0;
  if (weights.empty() || weights.size() != expected)
    throw Error(Code::kCorruptData, path + " is not a table of weights, expected {\"domains\": [{\"domain\": \"web\", \"weight\": 1.25}]} with finite weights of at least 0");
  return weights;
}

}  // namespace flowrun::mixers
