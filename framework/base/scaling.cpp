#include "base/scaling.hpp"

#include <cmath>
#include <numbers>
#include <span>

namespace flowrun::scaling {
namespace {

/// A row of a table: the FLOPs at which a model of that size is optimal. The tables' tokens are C / (6 N), rounded, and say nothing more.
struct Row {
  double parameters, flops;
};

/// Hoffmann et al. 2022, table 3.
constexpr std::array<Row, 9> kTable3{{{400e6, 1.92e19}, {1e9, 1.21e20}, {10e9, 1.23e22}, {67e9, 5.76e23}, {175e9, 3.85e24}, {280e9, 9.90e24}, {520e9, 3.43e25}, {1e12, 1.27e26}, {10e12, 1.30e28}}};
/// Hoffmann et al. 2022, table A3, approach 2.
constexpr std::array<Row, 9> kTableA3{{{400e6, 1.84e19}, {1e9, 1.20e20}, {10e9, 1.32e22}, {67e9, 6.88e23}, {175e9, 4.54e24}, {280e9, 1.18e25}, {520e9, 4.19e25}, {1e12, 1.59e26}, {10e12, 1.75e28}}};

constexpr double kRepetitionDecay = 15.387756;  ///< R*_D

/// Fits log N = log G + a log(C/6) by least squares.
Frontier fit(std::span<const Row> rows) noexcept {
  double mean_x = 0, mean_y = 0;
  for (const Row& row : rows) {
    mean_x += std::log(row.flops / 6) / static_cast<double>(rows.size());
    mean_y += std::log(row.parameters) / static_cast<double>(rows.size());
  }
  double xx = 0, xy = 0;
  for (const Row& row : rows) {
    const double x = std::log(row.flops / 6) - mean_x;
    xx += x * x;
    xy += x * (std::log(row.parameters) - mean_y);
  }
  return {std::exp(mean_y - xy / xx * mean_x), xy / xx};
}

}  // namespace

double ParametricLoss::operator()(const Allocation& allocation) const noexcept {
  return E + A / std::pow(allocation.parameters, alpha) + B / std::pow(allocation.tokens, beta);
}

Frontier Frontier::of(const ParametricLoss& loss) noexcept {
  const double sum = loss.alpha + loss.beta;
  return {std::pow(loss.alpha * loss.A / (loss.beta * loss.B), 1 / sum), loss.beta / sum};
}

Allocation Frontier::for_flops(double flops) const noexcept {
  const double parameters = coefficient_ * std::pow(flops / 6, exponent_);
  return {parameters, flops / 6 / parameters};
}

Allocation Frontier::for_parameters(double parameters) const noexcept { return {parameters, std::pow(parameters / coefficient_, 1 / exponent_) / parameters}; }

Allocation Frontier::for_tokens(double tokens) const noexcept { return {std::pow(tokens * coefficient_, 1 / (1 - exponent_)) / tokens, tokens}; }

const std::array<Law, 5>& laws() {
  static const std::array<Law, 5> all{{
      {"hoffmann_1", "Hoffmann et al. 2022, approach 1: fitted to table 3", fit(kTable3)},
      {"hoffmann_2", "Hoffmann et al. 2022, approach 2: fitted to table A3", fit(kTableA3)},
      {"hoffmann_3", "Hoffmann et al. 2022, approach 3: equations 4 and 10, not rounded", Frontier::of(kHoffmannLoss)},
      {"besiroglu", "Besiroglu et al. 2024: approach 3 refitted", Frontier::of(kBesirogluLoss)},
      {"ratio_20", "20 tokens a parameter", {1 / std::sqrt(static_cast<double>(kTokensPerParameter)), 0.5}},
  }};
  return all;
}

const std::array<Reference, 2> kReferences{{
    {"GPT-3", {175e9, 300e9}, 3.1e23, "3.1e23 is 6 N D (Brown et al. 2020, appendix D, has 3.14e23): far fewer tokens than any law above asks for"},
    {"Chinchilla", {70e9, 1.4e12}, 5.0e23, "5.0e23 is what is often cited, but 6 N D is 5.9e23 (Hoffmann et al. 2022: Gopher's budget, 5.76e23)"},
}};

double effective_tokens(double tokens, double unique_tokens) noexcept {
  if (tokens <= unique_tokens) return tokens;
  const double repetitions = tokens / unique_tokens - 1;
  return unique_tokens - unique_tokens * kRepetitionDecay * std::expm1(-repetitions / kRepetitionDecay);
}

double perplexity(double loss) noexcept { return std::exp(loss); }

double bits(double loss) noexcept { return loss / std::numbers::ln2; }

}  // namespace flowrun::scaling
