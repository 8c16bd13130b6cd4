#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace flowrun::filters::fasttext {

/// Makes probabilities of at least one score, with fastText's roundings: exponentials in double, sums in float.
inline void softmax(std::span<float> values) {
  const float largest = *std::max_element(values.begin(), values.end());
  float sum = 0;
  for (float& value : values) sum += value = static_cast<float>(std::exp(static_cast<double>(value - largest)));
  for (float& value : values) value /= sum;
}

}  // namespace flowrun::filters::fasttext
