#include "filters/common/fasttext/model_file.hpp"

#include <flowrun/error.hpp>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace flowrun::filters::fasttext {
namespace {

static_assert(std::endian::native == std::endian::little, "fastText's files have the byte order of the machine that made them, which is this one");

constexpr std::int32_t kMagic = 793712314, kVersion = 12, kVersionWithoutCharacters = 11;
constexpr std::int32_t kSupervised = 3;
constexpr std::int32_t kMaxDimension = 1 << 16;
constexpr std::uint8_t kWord = 0, kLabel = 1;

/// Reads a file from its begin and knows where it is. Nothing is allocated that the file has no bytes for.
class Input {
 public:
  explicit Input(const std::string& path) : path_(path), file_(path, std::ios::binary | std::ios::ate) {
    if (!file_) throw Error(Code::kNotFound, "'" + path + "' cannot be opened: " + std::generic_category().message(errno));
    size_ = static_cast<std::uint64_t>(file_.tellg());
    file_.seekg(0);
  }
  [[noreturn]] void fail(std::uint64_t offset, const std::string& reason) const { throw Error(Code::kCorruptData, "'" + path_ + "' at byte " + std::to_string(offset) + ": " + reason); }
  const std::string& path() const noexcept { return path_; }
  std::uint64_t offset() const noexcept { return offset_; }
  std::uint64_t left() const noexcept { return size_ - offset_; }

  template <class T>
  T number(const char* what) {
    T value;
    need(sizeof value, what);
    read(&value, sizeof value);
    return value;
  }
  template <class T>
  T number_in(const char* what, T least, T most) {
    const std::uint64_t at = offset_;
    const T value = number<T>(what);
    if (value < least || value > most)
      fail(at, std::string(what) + " is " + std::to_string(value) + ", expected " + std::to_string(least) + " to " + std::to_string(most));
    return value;
  }
  bool boolean(const char* what) { return number_in<std::uint8_t>(what, 0, 1) == 1; }
  template <class T>
  std::vector<T> numbers(std::uint64_t count, const char* what) {
    if (count > left() / sizeof(T)) fail(offset_, std::string(what) + " needs " + std::to_string(count) + " times " + std::to_string(sizeof(T)) + " bytes, " + std::to_string(left()) + " are left");
    std::vector<T> values(count);
    read(values.data(), count * sizeof(T));
    return values;
  }
  std::vector<float> finite_numbers(std::uint64_t count, const char* what) {
    const std::uint64_t at = offset_;
    std::vector<float> values = numbers<float>(count, what);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) fail(at + i * sizeof(float), std::string(what) + " has a number that is not finite");
    return values;
  }
  std::string text(const char* what) {
    const std::uint64_t at = offset_;
    std::string text;
    if (!std::getline(file_, text, '\0') || file_.eof()) fail(at, std::string(what) + " does not end before the file does");
    offset_ += text.size() + 1;
    return text;
  }

 private:
  void need(std::uint64_t bytes, const char* what) const {
    if (bytes > left()) fail(offset_, "the file ends before " + std::string(what));
  }
  void read(void* to, std::size_t bytes) {
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be read at byte " + std::to_string(offset_));
    offset_ += bytes;
  }

  std::string path_;
  std::ifstream file_;
  std::uint64_t size_ = 0, offset_ = 0;
};

struct Arguments {
  std::int32_t dimension;
  Loss loss;
  NgramOptions ngrams;
};

Arguments read_arguments(Input& in) {
  if (const auto magic = in.number<std::int32_t>("the format's number"); magic != kMagic)
    in.fail(0, "found " + std::to_string(magic) + ", expected " + std::to_string(kMagic) + " as a fastText model (.bin or .ftz) begins");
  const auto version = in.number_in<std::int32_t>("the version", kVersionWithoutCharacters, kVersion);
  Arguments arguments{};
  arguments.dimension = in.number_in<std::int32_t>("dim", 1, kMaxDimension);
  for (const char* unused : {"ws", "epoch", "minCount", "neg"}) in.number<std::int32_t>(unused);
  arguments.ngrams.words = in.number_in<std::int32_t>("wordNgrams", 0, kMaxWordNgram);
  arguments.loss = static_cast<Loss>(in.number_in<std::int32_t>("loss", 1, 4));
  if (const auto model = in.number_in<std::int32_t>("model", 1, kSupervised); model != kSupervised)
    throw Error(Code::kUnsupported, "'" + in.path() + "' has word vectors (model " + std::to_string(model) + "), expected a supervised model (3), which has labels");
  arguments.ngrams.buckets = in.number_in<std::int32_t>("bucket", 0, std::numeric_limits<std::int32_t>::max());
  arguments.ngrams.min_characters = in.number_in<std::int32_t>("minn", 0, kMaxCharacters);
  arguments.ngrams.max_characters = in.number_in<std::int32_t>("maxn", 0, kMaxCharacters);
  in.number<std::int32_t>("lrUpdateRate");
  in.number<double>("t");
  if (version == kVersionWithoutCharacters) arguments.ngrams.max_characters = 0;  // as fastText: old supervised models have none
  if (arguments.ngrams.any() && arguments.ngrams.buckets == 0) in.fail(in.offset(), "bucket is 0, but there are n-grams");
  return arguments;
}

Entry read_entry(Input& in, std::uint8_t type, const char* what) {
  Entry entry{in.text(what), 0};
  entry.count = in.number_in<std::int64_t>("a count", 0, std::numeric_limits<std::int64_t>::max());
  in.number_in<std::uint8_t>("a type (words first, then labels)", type, type);
  return entry;
}

std::vector<Entry> read_entries(Input& in, std::int32_t count, std::uint8_t type, const char* what) {
  constexpr std::uint64_t kLeastBytes = 10;
  if (static_cast<std::uint64_t>(count) > in.left() / kLeastBytes) in.fail(in.offset(), std::to_string(count) + " entries do not fit into the " + std::to_string(in.left()) + " bytes that are left");
  std::vector<Entry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) entries.push_back(read_entry(in, type, what));
  return entries;
}

void check_counts(const Input& in, const std::vector<Entry>& labels) {
  std::int64_t total = 0;
  for (const Entry& label : labels)
    if (label.count >= LabelTree::kMaxTotal || (total += label.count) >= LabelTree::kMaxTotal) in.fail(in.offset(), "the counts of the labels add up to 10^15 or more");
}

Dictionary::Pruned read_pruned(Input& in, std::int64_t count, std::int32_t buckets) {
  if (static_cast<std::uint64_t>(count) > in.left() / 8) in.fail(in.offset(), std::to_string(count) + " pruned n-grams do not fit into the " + std::to_string(in.left()) + " bytes that are left");
  Dictionary::Pruned pruned;
  pruned.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bucket = in.number_in<std::int32_t>("the bucket of a pruned n-gram", 0, buckets - 1);
    pruned.emplace_back(bucket, in.number_in<std::int32_t>("the row of a pruned n-gram", 0, static_cast<std::int32_t>(count) - 1));
  }
  return pruned;
}

/// A dictionary and the rows that its input matrix must have.
struct SizedDictionary {
  Dictionary dictionary;
  std::int64_t rows;
  bool is_pruned;
};

SizedDictionary read_dictionary(Input& in, const Arguments& arguments) {
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::uint64_t at = in.offset();
  const auto size = in.number_in<std::int32_t>("the size of the dictionary", 1, kMost);
  const auto words = in.number_in<std::int32_t>("the number of words", 0, size);
  const auto labels = in.number_in<std::int32_t>("the number of labels", 1, size);
  if (words + std::int64_t{labels} != size) in.fail(at, std::to_string(words) + " words and " + std::to_string(labels) + " labels, expected " + std::to_string(size) + " together");
  in.number<std::int64_t>("the number of tokens");
  const auto pruned_count = in.number_in<std::int64_t>("the number of pruned n-grams", Dictionary::kNotPruned, arguments.ngrams.buckets);
  const bool is_pruned = pruned_count != Dictionary::kNotPruned;
  auto word_entries = read_entries(in, words, kWord, "a word");
  auto label_entries = read_entries(in, labels, kLabel, "a label");
  if (arguments.loss == Loss::kHierarchicalSoftmax) check_counts(in, label_entries);
  auto pruned = is_pruned ? read_pruned(in, pruned_count, arguments.ngrams.buckets) : Dictionary::Pruned();
  const std::int64_t rows = words + (is_pruned ? pruned_count : arguments.ngrams.buckets);
  return {Dictionary(arguments.ngrams, std::move(word_entries), std::move(label_entries), is_pruned, std::move(pruned)), rows, is_pruned};
}

void read_shape(Input& in, std::int64_t rows, std::int64_t columns) {
  in.number_in<std::int64_t>("the number of rows", rows, rows);
  in.number_in<std::int64_t>("the number of columns", columns, columns);
}

std::unique_ptr<Matrix> read_dense(Input& in, std::int64_t rows, std::int32_t columns, const char* what) {
  read_shape(in, rows, columns);
  // Rows are below 2^32 and columns at most 2^16: the product fits.
  return std::make_unique<DenseMatrix>(static_cast<std::size_t>(columns), in.finite_numbers(static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns), what));
}

ProductQuantizer read_quantizer(Input& in, std::int32_t dimension, const char* what) {
  in.number_in<std::int32_t>("the quantizer's dimension", dimension, dimension);
  const auto parts = in.number_in<std::int32_t>("the quantizer's number of parts", 1, dimension);
  const auto part = in.number_in<std::int32_t>("the quantizer's part", 1, dimension);
  const std::int32_t last_part = dimension - (parts - 1) * part;
  if (std::int64_t{parts - 1} * part >= dimension || last_part > part)
    in.fail(in.offset(), std::to_string(parts) + " parts of " + std::to_string(part) + " do not make " + std::to_string(dimension) + " numbers");
  in.number_in<std::int32_t>("the quantizer's last part", last_part, last_part);
  const auto unsigned_of = [](std::int32_t value) { return static_cast<std::size_t>(value); };
  return {unsigned_of(dimension), unsigned_of(parts), unsigned_of(part), unsigned_of(last_part), in.finite_numbers(unsigned_of(dimension) * ProductQuantizer::kCentroids, what)};
}

std::unique_ptr<Matrix> read_quantized(Input& in, std::int64_t rows, std::int32_t columns, const char* what) {
  const bool has_norms = in.boolean("whether there are norms");
  read_shape(in, rows, columns);
  const std::uint64_t at = in.offset();
  const auto code_count = in.number_in<std::int32_t>("the number of codes", 0, std::numeric_limits<std::int32_t>::max());
  std::vector<std::uint8_t> codes = in.numbers<std::uint8_t>(static_cast<std::uint64_t>(code_count), "the codes");
  ProductQuantizer quantizer = read_quantizer(in, columns, what);
  if (static_cast<std::uint64_t>(rows) * quantizer.parts != codes.size())
    in.fail(at, std::to_string(codes.size()) + " codes, expected " + std::to_string(quantizer.parts) + " for each of " + std::to_string(rows) + " rows");
  std::vector<float> norms;
  if (has_norms) {
    const std::vector<std::uint8_t> norm_codes = in.numbers<std::uint8_t>(static_cast<std::uint64_t>(rows), "the norms");
    const ProductQuantizer norm_quantizer = read_quantizer(in, 1, "the codebook of norms");
    for (const std::uint8_t code : norm_codes) norms.push_back(*norm_quantizer.centroid(0, code));
  }
  return std::make_unique<QuantizedMatrix>(std::move(quantizer), std::move(codes), std::move(norms));
}

}  // namespace

Model read_model(const std::string& path) {
  Input in(path);
  const Arguments arguments = read_arguments(in);
  SizedDictionary sized = read_dictionary(in, arguments);
  const std::int64_t labels = static_cast<std::int64_t>(sized.dictionary.labels().size());
  const bool is_quantized = in.boolean("whether the input matrix is quantized");
  if (!is_quantized && sized.is_pruned) in.fail(in.offset(), "n-grams are pruned, but the input matrix is not quantized: fastText refuses such a model, too");
  auto input = is_quantized ? read_quantized(in, sized.rows, arguments.dimension, "the input matrix") : read_dense(in, sized.rows, arguments.dimension, "the input matrix");
  const bool quantized_output = in.boolean("whether the output matrix is quantized");
  auto output = is_quantized && quantized_output ? read_quantized(in, labels, arguments.dimension, "the output matrix")
                                                 : read_dense(in, labels, arguments.dimension, "the output matrix");
  if (in.left() != 0) in.fail(in.offset(), std::to_string(in.left()) + " bytes more than the model has");
  return Model(std::move(sized.dictionary), arguments.loss, std::move(input), std::move(output));
}

namespace {

class Output {
 public:
  explicit Output(const std::string& path) : path_(path), file_(path, std::ios::binary) {}
  template <class T>
  void number(T value) {
    file_.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void entries(const std::vector<Entry>& entries, std::uint8_t type) {
    for (const Entry& entry : entries) {
      file_.write(entry.text.c_str(), static_cast<std::streamsize>(entry.text.size() + 1));
      number(entry.count);
      number(type);
    }
  }
  void matrix(const DenseMatrix& matrix) {
    number<std::uint8_t>(0);  // not quantized
    number(static_cast<std::int64_t>(matrix.rows()));
    number(static_cast<std::int64_t>(matrix.columns()));
    file_.write(reinterpret_cast<const char*>(matrix.values().data()), static_cast<std::streamsize>(matrix.values().size() * sizeof(float)));
  }
  void close() {
    file_.close();
    if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be written: " + std::generic_category().message(errno));
  }

 private:
  std::string path_;
  std::ofstream file_;
};

}  // namespace

void write_model(const std::string& path, const TrainingArguments& arguments, const Dictionary& dictionary, std::int64_t tokens, const DenseMatrix& input, const DenseMatrix& output) {
  const NgramOptions& ngrams = dictionary.ngrams();
  const auto words = static_cast<std::int32_t>(dictionary.words().size()), labels = static_cast<std::int32_t>(dictionary.labels().size());
  Output out(path);
  for (const std::int32_t value : {kMagic, kVersion, static_cast<std::int32_t>(input.columns()), arguments.window, arguments.epochs, arguments.min_count, arguments.negatives, ngrams.words,
                                   static_cast<std::int32_t>(Loss::kSoftmax), kSupervised, ngrams.buckets, ngrams.min_characters, ngrams.max_characters, arguments.update_rate})
    out.number(value);
  out.number(arguments.sampling);
  for (const std::int32_t value : {words + labels, words, labels}) out.number(value);
  out.number(tokens);
  out.number(Dictionary::kNotPruned);
  out.entries(dictionary.words(), kWord);
  out.entries(dictionary.labels(), kLabel);
  out.matrix(input);
  out.matrix(output);
  out.close();
}

}  // namespace flowrun::filters::fasttext
