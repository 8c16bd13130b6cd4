#pragma once

// Trains a fastText classifier (Joulin et al. 2016, arXiv:1607.01759): stochastic gradient descent on the softmax of the mean of a text's
// rows, example after example, the learning rate falling to 0. It is fastText 0.9.2's `supervised -thread 1` step by step, float by float, and
// so its model is that one, byte by byte; checked by bench/peers/compare_fasttext_trainer.py. One thread, so that there is one result.

#include <cstdint>
#include <functional>
#include <string>

#include "training_set.hpp"

namespace flowrun::filters::fasttext {

struct TrainerOptions {
  double lr = 0.1;  ///< at the beginning
  std::int32_t dim = 100, epochs = 5, min_count = 1;
  NgramOptions ngrams{.min_characters = 0, .max_characters = 0, .words = 1, .buckets = 2'000'000};  ///< `buckets` counts only where there are n-grams
  std::uint32_t seed = 0;
  std::int64_t memory_bytes = 0;  ///< what the weights may take; 0: anything
};

/// What is told after each pass over the examples.
struct EpochReport {
  std::int32_t epoch;  ///< from 1
  double loss;         ///< mean of the pass, nats
};

/// Trains on the examples and writes a model file that the fastText library reads. Calls `report` after each epoch and `check` every thousand examples;
/// both may throw. Throws kInvalidArgument where there are no examples, or fewer than two labels, or no word is frequent enough, or the weights overflow;
/// kOutOfMemory where they would take more than `memory_bytes`.
void train(TrainingSet& examples, const TrainerOptions& options, const std::string& path, const std::function<void(const EpochReport&)>& report, const std::function<void()>& check);

}  // namespace flowrun::filters::fasttext
