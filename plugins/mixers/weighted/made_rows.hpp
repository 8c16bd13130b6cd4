#pragma once

// For tests: made documents, and the order of a mixture by its definition.

#include <flowrun/philox.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "domain_index.hpp"

namespace flowrun::mixers {

inline const std::function<void()> kNeverStops = [] {};

/// Rows of domains "d0", "d1", ..., in no order, of 1 to `length_max` tokens.
struct Rows {
  std::vector<std::string> domains;
  std::vector<std::uint32_t> lengths;
  std::uint32_t longest() const { return *std::max_element(lengths.begin(), lengths.end()); }
};

inline std::string domain_name(std::size_t number) { return std::string("d").append(std::to_string(number)); }

inline Rows random_rows(std::size_t count, std::size_t domain_count, unsigned seed, std::uint32_t length_max = 30) {
  std::mt19937 random(seed);
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.domains.push_back(domain_name(i < domain_count ? i : std::min(random() % domain_count, random() % domain_count)));
    rows.lengths.push_back(1 + static_cast<std::uint32_t>(random()) % length_max);
  }
  return rows;
}

inline DomainIndex index_of(const Rows& rows) {
  DomainIndex index;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) index.append(rows.domains[i], rows.lengths[i]);
  return index;
}

/// The definition, written down once more: whole weights, fractions as integers, every draw from the beginning. Of the domains that do not have more
/// than their share, the one whose next document would end first if all ran at once, each at its share.
inline std::vector<std::int64_t> oracle(const Rows& rows, const std::map<std::string, int>& weights, std::uint64_t seed, std::size_t draws) {
  __extension__ using Wide = __int128;
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::int64_t>> documents;
  std::map<std::string, std::int64_t> tokens, drawn, given;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) {
    const std::string& domain = rows.domains[i];
    if (weights.contains(domain) && weights.at(domain) == 0) continue;
    if (!documents.contains(domain)) names.push_back(domain);
    documents[domain].push_back(static_cast<std::int64_t>(i));
    tokens[domain] += rows.lengths[i];
  }
  const auto mass = [&](const std::string& domain) { return (weights.contains(domain) ? weights.at(domain) : 1) * tokens[domain]; };
  const auto next = [&](const std::string& domain) {
    const auto size = static_cast<std::int64_t>(documents[domain].size()), number = given[domain];
    const Permutation permutation(philox_u64(derive_seed(seed, domain), static_cast<std::uint64_t>(number / size)), static_cast<std::uint64_t>(size));
    return documents[domain][permutation(static_cast<std::uint64_t>(number % size))];
  };
  const auto end = [&](const std::string& domain) { return drawn[domain] + rows.lengths[static_cast<std::size_t>(next(domain))]; };
  std::int64_t total = 0, all = 0;
  for (const auto& name : names) total += mass(name);
  std::vector<std::int64_t> order;
  while (order.size() < draws) {
    std::string best;
    for (const auto& name : names)
      if (Wide{drawn[name]} * total <= Wide{mass(name)} * all && (best.empty() || Wide{end(name)} * mass(best) < Wide{end(best)} * mass(name))) best = name;
    const std::int64_t row = next(best);
    order.push_back(row);
    ++given[best];
    drawn[best] += rows.lengths[static_cast<std::size_t>(row)];
    all += rows.lengths[static_cast<std::size_t>(row)];
  }
  return order;
}

}  // namespace flowrun::mixers
