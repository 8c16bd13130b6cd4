#include "mixture.hpp"

#include <flowrun/descriptor.hpp>

#include <cstdio>
#include <numeric>
#include <utility>

namespace flowrun::mixers {
namespace {

std::string number_or_null(std::int64_t number, bool is_known) { return is_known ? std::to_string(number) : "null"; }

/// Returns {"web": 0.75, "books": 0.25}, without the domains that take no part.
std::string proportions_json(const DomainIndex& index, const std::vector<std::int64_t>& masses) {
  double total = 0;
  for (const std::int64_t mass : masses) total += static_cast<double>(mass);
  std::string text;
  for (std::size_t i = 0; i < masses.size(); ++i)
    if (masses[i] > 0) text += (text.empty() ? "" : ", ") + json::quote(index.domains()[i].name) + ": " + json::number(static_cast<double>(masses[i]) / total);
  return "{" + text + "}";
}

std::string stages_json(const Mixture& mixture, const std::vector<StageParameters>& stages) {
  std::string text;
  std::int64_t begin = 0;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = mixture.schedule.stages[s];
    text += std::string(s == 0 ? "" : ",") + "\n  {\"tokens\": " + number_or_null(stage.end_tokens - begin, stage.end_tokens >= 0) +
            ", \"order_by\": " + (stages[s].order_by.empty() ? "null" : json::quote(stages[s].order_by)) + ", \"sequence_length\": " + number_or_null(stage.sequence_length, stage.sequence_length > 0) +
            ", \"proportions\": " + proportions_json(mixture.index, stage.masses) + "}";
    begin = stage.end_tokens;
  }
  return text;
}

}  // namespace

void Mixture::save(const std::string& path) const {
  IndexWriter out(path);
  index.save(out);
  schedule.save(out);
  out.finish();
}

Mixture Mixture::load(const std::string& path) {
  IndexReader in(path);
  Mixture mixture;
  mixture.index = DomainIndex::load(in);
  mixture.schedule = Schedule::load(in, mixture.index.domains().size());
  in.finish();
  return mixture;
}

std::vector<Part> parts_of(const Mixture& mixture, const std::vector<double>& weights) {
  const Schedule& schedule = mixture.schedule;
  const bool has_end = schedule.draw_count >= 0;
  std::vector<double> amounts;
  for (std::size_t i = 0; i < weights.size(); ++i)
    amounts.push_back(has_end ? static_cast<double>(schedule.drawn[i].tokens) : static_cast<double>(schedule.stages.back().masses[i]));
  const double total = std::accumulate(amounts.begin(), amounts.end(), 0.0);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < weights.size(); ++i) parts.push_back({weights[i], total > 0 ? amounts[i] / total : 0});
  return parts;
}

std::string mixture_json(const Mixture& mixture, const std::vector<Part>& parts, const std::vector<StageParameters>& stages) {
  const bool has_end = mixture.schedule.draw_count >= 0;
  const auto drawn_or_null = [&](std::int64_t number) { return number_or_null(number, has_end); };
  std::int64_t tokens = 0;
  std::string domains;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Domain& domain = mixture.index.domains()[i];
    const Drawn& drawn = mixture.schedule.drawn[i];
    tokens += drawn.tokens;
    domains += std::string(domains.empty() ? "" : ",") + "\n  {\"domain\": " + json::quote(domain.name) + ", \"documents\": " + std::to_string(domain.document_count) +
               ", \"unique_tokens\": " + std::to_string(domain.unique_tokens) + ", \"tokens\": " + std::to_string(domain.token_count) +
               ", \"weight\": " + json::number(parts[i].weight) + ", \"proportion\": " + json::number(parts[i].proportion) +
               ", \"drawn_documents\": " + drawn_or_null(drawn.documents) + ", \"drawn_tokens\": " + drawn_or_null(drawn.tokens) + "}";
  }
  return "{\"version\": 1, \"documents\": " + drawn_or_null(mixture.schedule.draw_count) + ", \"tokens\": " + drawn_or_null(tokens) + ", \"domains\": [" + domains + "\n], \"stages\": [" +
         stages_json(mixture, stages) + "\n]}\n";
}

std::string shares_text(const Mixture& mixture, const std::vector<Part>& parts) {
  std::string text = "shares of the tokens:";
  bool is_first = true;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].proportion == 0) continue;
    char share[32];
    std::snprintf(share, sizeof share, " %.4f", parts[i].proportion);
    text += (std::exchange(is_first, false) ? " " : ", ") + mixture.index.domains()[i].name + share;
  }
  return text;
}

}  // namespace flowrun::mixers
