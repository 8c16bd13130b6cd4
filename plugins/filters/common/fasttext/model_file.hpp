#pragma once

// fastText's model files, .bin and quantized .ftz (versions 11 and 12; src/fasttext.cc, saveModel and loadModel).

#include <memory>
#include <string>

#include "filters/common/fasttext/model.hpp"

namespace flowrun::filters::fasttext {

/// The limits of what is read: a file that asks for more is no sensible model, and would take time without end for one word.
inline constexpr std::int32_t kMaxCharacters = 64, kMaxWordNgram = 64;

/// Reads a model. Takes as much memory as the file and its hash tables, and never more than the file has bytes for. Throws kNotFound where it cannot be
/// opened, kUnsupported for word vectors, kCorruptData with the byte and the reason where the file is damaged or something else.
Model read_model(const std::string& path);

/// What a file says of the training beside what a model needs; fastText's names.
struct TrainingArguments {
  std::int32_t window = 5, epochs = 5, min_count = 1, negatives = 5, update_rate = 100;
  double sampling = 1e-4;
};

/// Writes a model with softmax loss, as fastText 0.9.2 does. `tokens` is the number of words and labels of the training text. Throws kIo.
void write_model(const std::string& path, const TrainingArguments& arguments, const Dictionary& dictionary, std::int64_t tokens, const DenseMatrix& input, const DenseMatrix& output);

}  // namespace flowrun::filters::fasttext
