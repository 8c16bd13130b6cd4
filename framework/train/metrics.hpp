#pragma once

// metrics.jsonl and timing.jsonl of a run: one JSON object a line, in the order of steps, each step once whatever happened in between.
// metrics.jsonl holds what the graph and its data determine, timing.jsonl the clock's figures. Sees no LibTorch.

#include <cstdint>
#include <string>
#include <vector>

#include "base/durable.hpp"

namespace flowrun::train {

/// A line of kind "train".
struct TrainLine {
  std::int64_t step = 0;
  double loss = 0;  ///< nats, mean over the step's valid tokens
  double lr = 0;
  double grad_norm = 0;     ///< before clipping
  std::int64_t tokens = 0;  ///< valid targets so far
};

/// A line of kind "eval".
struct EvalLine {
  std::int64_t step = 0;
  std::string evaluator;
  std::string domain;
  double loss_sum = 0;      ///< nats over `scored` tokens
  std::int64_t scored = 0;
  std::int64_t tokens = 0;  ///< of the documents, scored or not
  std::int64_t bytes = 0;   ///< of their text
};

std::string to_json(const TrainLine& line);
std::string to_json(const EvalLine& line);

/// Returns how many bytes of a log hold whole lines of steps up to `step`, before any other line.
std::int64_t bytes_up_to_step(const std::string& text, std::int64_t step);

/// Returns, as a JSON array, the last evaluation of each evaluator and domain in a metrics.jsonl; with `"masked": true` in each if `masked`.
std::string last_evaluations(const std::string& metrics, bool masked);

/// The two logs, open for appending.
class MetricsLog {
 public:
  /// Cuts both logs to the lines of steps up to `step`; before the first step, to nothing.
  MetricsLog(const std::string& run_folder, std::int64_t step);
  void append(const TrainLine& line) { metrics_.append(to_json(line) + "\n"); }
  void append(const EvalLine& line) { metrics_.append(to_json(line) + "\n"); }
  void append_timing(std::int64_t step, double tokens_per_second, double seconds);
  /// Makes what was appended durable; to be called before a checkpoint that a resume would cut the logs to.
  void sync();

 private:
  io::AppendFile metrics_, timing_;
};

}  // namespace flowrun::train
