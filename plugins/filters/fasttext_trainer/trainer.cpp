#include "trainer.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "filters/common/fasttext/matrix.hpp"
#include "filters/common/fasttext/model_file.hpp"
#include "filters/common/fasttext/softmax.hpp"

namespace flowrun::filters::fasttext {
namespace {

constexpr std::int64_t kUpdateTokens = 100;  // fastText's lrUpdateRate: the learning rate falls once so many tokens have gone by
constexpr int kBlocks = 10;                  // fastText draws a tenth of the weights in each thread, and has one here; the others begin at 0

void add_scaled(std::span<float> to, float scale, std::span<const float> from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += scale * from[i];
}

DenseMatrix random_matrix(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  std::vector<float> values(rows * columns);
  std::minstd_rand generator(seed);
  const float end = static_cast<float>(1.0 / static_cast<double>(columns));
  std::uniform_real_distribution<double> uniform(-end, end);
  for (std::size_t i = 0; i < values.size() / kBlocks; ++i) values[i] = static_cast<float>(uniform(generator));
  return {columns, std::move(values)};
}

class Training {
 public:
  Training(TrainingSet& examples, const TrainerOptions& options)
      : examples_(examples), options_(options), dictionary_(make_dictionary(examples, options)), input_(make_input(dictionary_, options)),
        output_(columns(), std::vector<float>(dictionary_.labels().size() * columns())), gradient_(columns()), outputs_(dictionary_.labels().size()) {
    for (const Entry& label : dictionary_.labels()) labels_.emplace(label.text, static_cast<std::uint32_t>(labels_.size()));
  }

  void run(const std::function<void(const EpochReport&)>& report, const std::function<void()>& check) {
    const std::int64_t total = examples_.tokens() * options_.epochs;
    for (std::int32_t epoch = 1; seen_ < total; ++epoch) {
      double loss = 0;
      std::int64_t count = 0;
      examples_.for_each([&](const Example& example) {
        if (count++ % 1000 == 0) check();
        const float progress = static_cast<float>(seen_) / static_cast<float>(total);
        loss += learn(example, static_cast<float>(options_.lr * (1.0 - progress)));
        not_seen_ += example.tokens;
        if (not_seen_ > kUpdateTokens) seen_ += std::exchange(not_seen_, 0);
        return seen_ < total;
      });
      if (epoch <= options_.epochs) report({epoch, loss / static_cast<double>(count)});
    }
  }

  void write(const std::string& path) const {
    const TrainingArguments arguments{.epochs = options_.epochs, .min_count = options_.min_count};
    write_model(path, arguments, dictionary_, examples_.tokens(), input_, output_);
  }

 private:
  static Dictionary make_dictionary(const TrainingSet& examples, const TrainerOptions& options) {
    std::vector<Entry> words, labels;
    examples.counts().finish(options.min_count, words, labels);
    if (labels.size() < 2)
      throw Error(Code::kInvalidArgument, std::to_string(examples.examples()) + " examples with " + std::to_string(labels.size()) + " different labels, expected two labels or more");
    if (words.empty()) throw Error(Code::kInvalidArgument, "no word occurs " + std::to_string(options.min_count) + " times: lower 'min_count'");
    NgramOptions ngrams = options.ngrams;
    if (!ngrams.any()) ngrams.buckets = 0;
    return Dictionary(ngrams, std::move(words), std::move(labels));
  }

  static DenseMatrix make_input(const Dictionary& dictionary, const TrainerOptions& options) {
    const auto rows = dictionary.words().size() + static_cast<std::size_t>(dictionary.ngrams().buckets), columns = static_cast<std::size_t>(options.dim);
    const auto bytes = static_cast<std::int64_t>((rows + dictionary.labels().size()) * columns * sizeof(float));
    if (options.memory_bytes > 0 && bytes > options.memory_bytes)
      throw Error(Code::kOutOfMemory, "the weights of " + std::to_string(dictionary.words().size()) + " words and " + std::to_string(dictionary.ngrams().buckets) + " buckets take " +
                                          std::to_string(bytes) + " bytes, 'memory_bytes' is " + std::to_string(options.memory_bytes) + ": raise it, or lower 'bucket' or 'dim', or raise 'min_count'");
    return random_matrix(rows, columns, options.seed);
  }

  std::size_t columns() const { return static_cast<std::size_t>(options_.dim); }

  /// Takes one step and returns the loss before it.
  double learn(const Example& example, float lr) {
    dictionary_.rows_of(example.text, rows_);
    if (rows_.empty()) return 0;
    const float share = static_cast<float>(1.0 / static_cast<double>(rows_.size()));
    mean_.assign(columns(), 0);
    input_.add_rows(rows_, mean_);
    for (float& value : mean_) value *= share;
    for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i] = output_.dot(i, mean_);
    softmax(outputs_);

    const std::uint32_t target = labels_.at(example.label);
    if (!std::isfinite(outputs_[target])) throw Error(Code::kInvalidArgument, "the weights overflow: lower 'lr', which is " + std::to_string(options_.lr));
    std::fill(gradient_.begin(), gradient_.end(), 0.0F);
    for (std::uint32_t i = 0; i < outputs_.size(); ++i) {
      const float step = lr * ((i == target ? 1.0F : 0.0F) - outputs_[i]);
      const std::span<float> row(output_.row(i), columns());
      add_scaled(gradient_, step, row);
      add_scaled(row, step, mean_);
    }
    for (float& value : gradient_) value *= share;
    for (const std::uint32_t row : rows_) add_scaled({input_.row(row), columns()}, 1, gradient_);
    return -std::log(outputs_[target]);
  }

  TrainingSet& examples_;
  const TrainerOptions& options_;
  Dictionary dictionary_;
  DenseMatrix input_, output_;
  std::unordered_map<std::string, std::uint32_t> labels_;
  std::int64_t seen_ = 0, not_seen_ = 0;  ///< tokens that the learning rate has fallen for, and those since
  std::vector<std::uint32_t> rows_;
  std::vector<float> mean_, gradient_, outputs_;
};

}  // namespace

void train(TrainingSet& examples, const TrainerOptions& options, const std::string& path, const std::function<void(const EpochReport&)>& report, const std::function<void()>& check) {
  if (examples.examples() == 0) throw Error(Code::kInvalidArgument, "there are no examples to train on");
  Training training(examples, options);
  training.run(report, check);
  training.write(path);
}

}  // namespace flowrun::filters::fasttext
