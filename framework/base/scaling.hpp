#pragma once

// Scaling laws: how many parameters and tokens a budget of training FLOPs is best spent on, what repeated tokens are worth, and what a loss means.
//
// Every law here is a power law N = G (C/6)^a under C = 6 N D, so D = (C/6)^(1-a) / G, and each of C, N and D gives the other two:
//
// | law         | source                            | numbers used                                                                              |
// |-------------|-----------------------------------|-------------------------------------------------------------------------------------------|
// | hoffmann_1  | Hoffmann et al. 2022, approach 1  | the FLOPs and parameters of all rows of table 3; least squares of log N over log C        |
// | hoffmann_2  | the same, approach 2              | the same of table A3, left half                                                           |
// | hoffmann_3  | the same, approach 3, equation 4  | A, B, alpha, beta of equation 10 as the paper's TeX source has them, before rounding      |
// | besiroglu   | Besiroglu et al. 2024             | A, B, alpha, beta as refitted there; equation 4 of Hoffmann et al.                        |
// | ratio_20    | the rule of thumb                 | D = 20 N                                                                                  |
//
// Hoffmann et al. 2022: arXiv:2203.15556. Besiroglu et al. 2024: arXiv:2404.10102. Muennighoff et al. 2023: arXiv:2305.16264.

#include <array>
#include <cstdint>

namespace flowrun::scaling {

/// A model and what it is trained on.
struct Allocation {
  double parameters, tokens;
};

/// Returns 6 N D, the FLOPs of training (forward and backward, no recomputation; Hoffmann et al. 2022, appendix F).
constexpr double training_flops(const Allocation& allocation) noexcept { return 6 * allocation.parameters * allocation.tokens; }

/// A fitted loss L(N, D) = E + A / N^alpha + B / D^beta, in nats a token (Hoffmann et al. 2022, equation 2).
struct ParametricLoss {
  double E, A, B, alpha, beta;
  double operator()(const Allocation& allocation) const noexcept;
};

/// exp() of what the TeX source of Hoffmann et al. 2022 holds for equation 10: log E 0.5267228, log A 6.0073404, log B 6.0179186. With them come
/// the paper's 40 billion parameters for Gopher's budget, and the sizes of table A3 to 8%. The exponents that equation 10 prints, 0.34 and 0.28,
/// are rounded so far that they give 32 billion and miss the table by up to 30%; Besiroglu et al. 2024 found the same.
inline constexpr ParametricLoss kHoffmannLoss{1.69337368, 406.401018, 410.722827, 0.33917084, 0.2849083};
/// Besiroglu et al. 2024, the refit of approach 3.
inline constexpr ParametricLoss kBesirogluLoss{1.8172, 482.01, 2085.43, 0.3478, 0.3658};

/// Tokens a parameter by the rule of thumb that is drawn from Hoffmann et al. 2022, table 3.
inline constexpr std::int64_t kTokensPerParameter = 20;

/// The compute-optimal models of all budgets.
class Frontier {
 public:
  /// N = coefficient (C/6)^exponent.
  constexpr Frontier(double coefficient, double exponent) noexcept : coefficient_(coefficient), exponent_(exponent) {}
  /// Returns where `loss` is least for its FLOPs: equation 4 of Hoffmann et al. 2022.
  static Frontier of(const ParametricLoss& loss) noexcept;

  double coefficient() const noexcept { return coefficient_; }  ///< G
  double exponent() const noexcept { return exponent_; }        ///< a

  // Arguments are above 0.
  Allocation for_flops(double flops) const noexcept;
  Allocation for_parameters(double parameters) const noexcept;
  Allocation for_tokens(double tokens) const noexcept;

 private:
  double coefficient_, exponent_;
};

/// A scaling law by its name in `flowrun scaling`.
struct Law {
  const char* name;
  const char* source;
  Frontier frontier;
};

/// Returns the five laws in the order of the table above.
const std::array<Law, 5>& laws();

/// A model that others have trained.
struct Reference {
  const char* name;
  Allocation allocation;
  double flops;  ///< as it is cited, which need not be 6 N D
  const char* note;
};

/// GPT-3 and Chinchilla.
extern const std::array<Reference, 2> kReferences;

/// Epochs up to which repeated tokens are worth nearly as much as new ones (Muennighoff et al. 2023, abstract and section 5).
inline constexpr double kHarmlessEpochs = 4;

/// Returns how many new tokens are worth as much as `tokens` drawn from `unique_tokens` different ones:
/// D' = U + U R* (1 - exp(-R / R*)) with R = D / U - 1 repetitions (Muennighoff et al. 2023, equation 5); D itself up to one epoch.
/// R* = 15.387756, fitted to C4 in appendix A there.
double effective_tokens(double tokens, double unique_tokens) noexcept;

/// Returns exp(loss), the perplexity of a mean cross-entropy in nats: the model is as unsure as among that many equally likely tokens, the
/// branching factor.
double perplexity(double loss) noexcept;

/// Returns loss / ln 2, the same cross-entropy in bits.
double bits(double loss) noexcept;

}  // namespace flowrun::scaling
