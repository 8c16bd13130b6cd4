#include "stage_parameters.hpp"

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace flowrun::mixers {
namespace {

constexpr double kRounding = 1e-9;  ///< of fractions such as thirds, and of their sum

std::string name_of(std::size_t number) { return "stages[" + std::to_string(number) + "]"; }

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

[[noreturn]] void refuse(const std::string& message) { throw Error(Code::kInvalidArgument, message); }

StageParameters read_stage(const Params& params, const StageParameters& node) {
  StageParameters stage;
  stage.fraction = params.number_or("fraction", 0);
  stage.steps = params.integer_or("steps", 0);
  stage.tokens = params.integer_or("tokens", 0);
  if (params.has("weights")) stage.weights = params.numbers_by_key("weights");
  if (params.has("proportions")) stage.proportions = params.numbers_by_key("proportions");
  if (!stage.weights && !stage.proportions) stage.proportions = node.proportions;
  stage.order_by = params.string_or("order_by", "");
  stage.order_is_own = !stage.order_by.empty();
  stage.descending = stage.order_by.empty() ? node.descending : params.boolean("descending");
  if (stage.order_by.empty()) stage.order_by = node.order_by;
  stage.sequence_length = params.integer_or("sequence_length", 0);
  return stage;
}

void check(const std::vector<StageParameters>& stages, bool has_tokens_per_step) {
  double fraction = 0;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const StageParameters& stage = stages[s];
    fraction += stage.fraction;
    if (fraction > 1 + kRounding) refuse("the fractions of the stages up to '" + name_of(s) + "' add up to " + rounded(fraction) + ", expected at most 1");
    const int sizes = (stage.fraction > 0) + (stage.steps > 0) + (stage.tokens > 0);
    if (sizes > 1) refuse("'" + name_of(s) + "' has " + std::to_string(sizes) + " sizes, expected one of 'fraction', 'steps' and 'tokens'");
    if (sizes == 0 && s + 1 < stages.size()) refuse("'" + name_of(s) + "' has no size, expected one of 'fraction', 'steps' and 'tokens': only the last stage may take what is left");
    if (stage.weights && stage.proportions) refuse("'" + name_of(s) + "' has 'weights' and 'proportions', expected at most one of them");
    if (stage.steps > 0 && !has_tokens_per_step) refuse("'" + name_of(s) + "' is " + std::to_string(stage.steps) + " steps long, which needs 'tokens_per_step'");
    if ((stage.sequence_length > 0) != (stages[0].sequence_length > 0)) refuse("'" + name_of(stage.sequence_length > 0 ? 0 : s) + "' has no 'sequence_length', which other stages have");
  }
  const bool are_fractions = std::all_of(stages.begin(), stages.end(), [](const StageParameters& stage) { return stage.fraction > 0; });
  if (are_fractions && fraction < 1 - kRounding) refuse("the fractions of the stages add up to " + rounded(fraction) + ", expected 1: leave the last one without a size for the rest");
  if (!are_fractions && fraction >= 1 - kRounding) refuse("the fractions of the stages add up to 1, which leaves nothing for the stages of other sizes");
}

}  // namespace

std::vector<StageParameters> read_stages(const Params& params) {
  StageParameters node;
  node.order_by = params.string_or("order_by", "");
  node.descending = params.boolean("descending");
  if (params.has("proportions")) node.proportions = params.numbers_by_key("proportions");
  std::vector<StageParameters> stages;
  for (const Params& stage : params.tables("stages")) stages.push_back(read_stage(stage, node));
  if (stages.empty()) stages.push_back(node);
  check(stages, params.has("tokens_per_step"));
  return stages;
}

std::vector<std::int64_t> stage_ends(const std::vector<StageParameters>& stages, std::int64_t total, std::int64_t tokens_per_step) {
  std::vector<std::int64_t> ends;
  double fraction = 0;       // of the stages so far, added up apart so that thirds make a whole
  std::int64_t counted = 0;  // tokens of the stages that are not fractions
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const StageParameters& stage = stages[s];
    if (stage.fraction > 0 && total < 0) refuse("'" + name_of(s) + "' is a fraction of all tokens, which needs 'tokens' or 'epochs'");
    fraction += stage.fraction;
    std::int64_t size = stage.tokens;
    if (stage.steps > 0 && __builtin_mul_overflow(stage.steps, tokens_per_step, &size)) refuse("'" + name_of(s) + "' is longer than 2^63 tokens");
    if (__builtin_add_overflow(counted, size, &counted)) refuse("the stages together are longer than 2^63 tokens");
    const bool takes_rest = stage.fraction == 0 && size == 0;
    if (takes_rest) ends.push_back(total);
    else ends.push_back(counted + (total < 0 ? 0 : std::llround(fraction * static_cast<double>(total))));
    const std::int64_t begin = s == 0 ? 0 : ends[s - 1];
    if (total >= 0 && (ends[s] > total + static_cast<std::int64_t>(stages.size()) || (takes_rest && begin >= total)))
      refuse("the stages up to '" + name_of(s) + "' take " + std::to_string(takes_rest ? begin : ends[s]) + " tokens, expected at most the mixture's " + std::to_string(total));
    if (!stage.order_by.empty() && ends[s] < 0) refuse("documents in the order of '" + stage.order_by + "' need an end: 'tokens', 'epochs', or a size of the last stage");
  }
  // Rounding aside, stages that all have sizes fill the whole.
  if (total >= 0 && ends.back() < total - static_cast<std::int64_t>(stages.size()) - static_cast<std::int64_t>(kRounding * static_cast<double>(total)))
    refuse("the stages take " + std::to_string(ends.back()) + " tokens of the mixture's " + std::to_string(total) + ": leave the last one without a size for the rest");
  return ends;
}

}  // namespace flowrun::mixers
