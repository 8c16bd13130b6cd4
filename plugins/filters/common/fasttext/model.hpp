#pragma once

// A supervised fastText model (Joulin et al. 2016, arXiv:1607.01759): the mean of a text's rows of the input matrix, and from it a
// probability for each label. Labels and probabilities are those of the library's predict() (fastText 0.9.2), sums taken in its order;
// checked against it by bench/peers/compare_fasttext.py.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filters/common/fasttext/dictionary.hpp"
#include "filters/common/fasttext/label_tree.hpp"
#include "filters/common/fasttext/matrix.hpp"

namespace flowrun::filters::fasttext {

/// How the probabilities follow from the output matrix; the numbers are the file format's.
enum class Loss : std::int32_t { kHierarchicalSoftmax = 1, kNegativeSampling = 2, kSoftmax = 3, kOneVersusAll = 4 };

struct Prediction {
  std::uint32_t label;  ///< number of the label in the dictionary
  float probability;    ///< up to 1.00001, as fastText adds 1e-5 before it takes logarithms
};

/// Classifies lines. Safe to use from many threads at once.
class Model {
 public:
  /// `input` has a row for each word and n-gram of the dictionary, `output` one for each label.
  Model(Dictionary dictionary, Loss loss, std::unique_ptr<Matrix> input, std::unique_ptr<Matrix> output);

  const Dictionary& dictionary() const noexcept { return dictionary_; }
  /// Returns the label's text without "__label__".
  std::string_view label(std::uint32_t number) const noexcept;
  std::optional<std::uint32_t> find_label(std::string_view text) const noexcept;

  /// Returns all labels that predict(line, k=-1) gives, the most probable first; none for a line that has no row. Throws kCorruptData where
  /// the model's numbers overflow.
  std::vector<Prediction> predict(std::string_view line) const;

  /// The most probable label, and the probabilities of others.
  struct Answer {
    Prediction best;
    std::vector<float> probabilities;  ///< of the labels that were asked for; 0 for one that predict() leaves out
  };
  /// Asks for some labels only, which is faster where the labels are many; nothing for a line that has no row.
  std::optional<Answer> ask(std::string_view line, std::span<const std::uint32_t> labels) const;

 private:
  bool read(std::string_view line, std::vector<float>& mean) const;
  std::vector<float> outputs(std::span<const float> mean) const;
  float right_probability(std::uint32_t node, std::span<const float> mean) const;
  Prediction best_leaf(std::span<const float> mean) const;
  float leaf_probability(std::uint32_t label, std::span<const float> mean) const;
  std::vector<Prediction> all_leaves(std::span<const float> mean) const;
  float product(std::size_t row, std::span<const float> mean) const;

  Dictionary dictionary_;
  Loss loss_;
  std::unique_ptr<Matrix> input_, output_;
  std::optional<LabelTree> tree_;  ///< of a hierarchical softmax
  std::vector<float> sigmoids_;    ///< of negative sampling and one versus all
};

}  // namespace flowrun::filters::fasttext
