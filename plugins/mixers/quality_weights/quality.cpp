#include "quality.hpp"

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

#include <cmath>

namespace flowrun::mixers {
namespace {

constexpr const char* kFormula =
    "v = product(score_mean / score_mean_of_all)^score_power * compression_ratio^compression_power * ((1 - duplicate_documents) * (1 - duplicate_lines))^duplicate_power; "
    "weight = v / (sum(bytes * v) / sum(bytes))";

/// Returns the mean of a column over all documents.
double mean_of_all(const std::vector<DomainQuality>& domains, const std::string& column) {
  double sum = 0, documents = 0;
  for (const DomainQuality& domain : domains) {
    sum += domain.score_sums.at(column);
    documents += static_cast<double>(domain.documents);
  }
  return documents == 0 ? 0 : sum / documents;
}

std::string scores_json(const DomainQuality& domain, const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + json::quote(column) + ": " + json::number(domain.score_mean(column));
  return "{" + text + "}";
}

}  // namespace

void set_weights(std::vector<DomainQuality>& domains, const std::vector<std::string>& columns, const QualityPowers& powers) {
  for (const std::string& column : columns) {
    for (const DomainQuality& domain : domains)
      if (domain.score_mean(column) < 0)
        throw Error(Code::kInvalidArgument, "the mean of '" + column + "' over '" + domain.name + "' is " + json::number(domain.score_mean(column)) + ", expected at least 0 to make a weight of");
    if (mean_of_all(domains, column) == 0) throw Error(Code::kInvalidArgument, "the mean of '" + column + "' over all documents is 0, which tells no domain from another");
  }
  double bytes = 0, mass = 0;
  for (DomainQuality& domain : domains) {
    double scores = 1;
    for (const std::string& column : columns) scores *= domain.score_mean(column) / mean_of_all(domains, column);
    domain.weight = std::pow(scores, powers.scores) * std::pow(domain.compression_ratio, powers.compression) *
                    std::pow((1 - domain.duplicate_documents) * (1 - domain.duplicate_lines), powers.duplicates);
    bytes += static_cast<double>(domain.bytes);
    mass += static_cast<double>(domain.bytes) * domain.weight;
  }
  if (!(mass > 0)) throw Error(Code::kInvalidArgument, "the input has " + std::to_string(static_cast<std::int64_t>(bytes)) + " bytes of text with a weight, expected at least one domain that has");
  for (DomainQuality& domain : domains) domain.weight /= mass / bytes;
}

std::string quality_json(const std::vector<DomainQuality>& domains, const std::vector<std::string>& columns, const QualityPowers& powers) {
  std::string list;
  for (const DomainQuality& domain : domains)
    list += std::string(list.empty() ? "" : ",") + "\n  {\"domain\": " + json::quote(domain.name) + ", \"weight\": " + json::number(domain.weight) +
            ", \"documents\": " + std::to_string(domain.documents) + ", \"bytes\": " + std::to_string(domain.bytes) + ", \"score_means\": " + scores_json(domain, columns) +
            ", \"compression_ratio\": " + json::number(domain.compression_ratio) + ", \"sample_bytes\": " + std::to_string(domain.sample_bytes) +
            ", \"compressed_bytes\": " + std::to_string(domain.compressed_bytes) + ", \"duplicate_documents\": " + json::number(domain.duplicate_documents) +
            ", \"duplicate_lines\": " + json::number(domain.duplicate_lines) + ", \"duplicates_are_exact\": " + (domain.duplicates_are_exact ? "true" : "false") + "}";
  return "{\"version\": 1, \"formula\": " + json::quote(kFormula) + ", \"score_power\": " + json::number(powers.scores) + ", \"compression_power\": " + json::number(powers.compression) +
         ", \"duplicate_power\": " + json::number(powers.duplicates) + ", \"domains\": [" + list + "\n]}\n";
}

}  // namespace flowrun::mixers
