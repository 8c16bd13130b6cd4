#pragma once

// "Did you mean": the name nearest to one that nothing has.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun {

namespace detail {

/// Longer words are never typing errors of each other; the cap bounds the time of one comparison.
inline constexpr std::size_t kMaxComparedBytes = 64;

/// Returns the optimal string alignment distance (Damerau 1964, restricted): insertions, deletions, substitutions, swaps of neighbours.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace detail

/// Returns the candidate nearest to `word` by edit distance with transpositions, if near enough to be what was meant; of equally near
/// ones the first.
inline std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > detail::kMaxComparedBytes) return std::nullopt;
  const std::string* best = nullptr;
  // A third of the word may be wrong: "sed" is near "seed", "in" is near nothing but "an" or "it".
  std::size_t best_distance = std::max<std::size_t>(1, (word.size() + 1) / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(candidate.size(), word.size());
    if (candidate.empty() || candidate.size() > detail::kMaxComparedBytes || longer - std::min(candidate.size(), word.size()) >= best_distance)
      continue;
    const std::size_t distance = detail::edit_distance(word, candidate);
    // A word whose every letter is another is no typing error, however short.
    if (distance < best_distance && distance < longer) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best != nullptr ? std::optional(*best) : std::nullopt;
}

/// Returns "; did you mean 'books'?" where a candidate is near, else "": for the end of a message.
inline std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto meant = nearest(word, candidates);
  return meant ? "; did you mean '" + *meant + "'?" : "";
}

}  // namespace flowrun
