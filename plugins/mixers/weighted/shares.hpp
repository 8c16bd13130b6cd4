#pragma once

// What share of the tokens each domain has. With |D_i| the tokens of domain i and w_i its weight, the masses are
//     m_i = w_i |D_i|^(1/T)     temperature T: 1 keeps the domains' sizes, larger ones even them out (Arivazhagan et al. 2019, arXiv:1907.05019,
//                               section 3.1, p_l^(1/T); alpha = 1/T in mT5, Xue et al. 2021, arXiv:2010.11934), or
//     m_i = w_i                 UniMax: equal budgets,
// and P(i) = m_i / sum_j m_j. A cap of N epochs turns masses into budgets by algorithm 1 of Chung et al. 2023, arXiv:2304.09151: in ascending
// order of N |D_i| / m_i a domain gets its part of what is left, m_i / sum of the masses left, but at most N |D_i|. For equal masses that is the
// paper's algorithm, number for number.

#include <cstdint>
#include <vector>

namespace flowrun::mixers {

/// Returns the masses m_i in proportion, scaled so that none overflows. Weights are finite and not negative; where one is 0, so is the mass.
std::vector<double> masses_of(const std::vector<double>& weights, const std::vector<std::int64_t>& tokens, double temperature, bool unimax);

/// Returns the budgets U_i in tokens of algorithm 1 for `budget` tokens in all and the caps N |D_i|; a domain of mass 0 has none.
/// Their sum is less than `budget` only where every domain is at its cap.
std::vector<double> capped_budgets(const std::vector<double>& masses, const std::vector<double>& caps, double budget);

/// Returns integers in the proportions of `masses`, scaled by a power of two common to all, so that whole numbers keep their ratios exactly; else to
/// within 2^-60 of the whole. Their sum is below 2^62. Masses above 0 stay above 0.
std::vector<std::int64_t> to_integers(const std::vector<double>& masses);

}  // namespace flowrun::mixers
