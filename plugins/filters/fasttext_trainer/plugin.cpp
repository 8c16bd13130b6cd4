// filters/fasttext_trainer: learns a fastText classifier from labelled documents. The algorithm is in trainer.cpp.

#include <flowrun/node.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trainer.hpp"

namespace flowrun::filters {
namespace {

constexpr std::int64_t kMostCharacters = 64, kMostWords = 64;  // what read_model takes

/// Returns what is wrong with a label, nullptr for nothing.
const char* fault_of(std::string_view label) {
  if (label.empty()) return "the label is empty";
  fasttext::WordReader reader(label);
  std::string_view word;
  return reader.next(word) && word == label ? nullptr : "the label has white space, which fastText cannot write";
}

class FastTextTrainerNode : public Blocking, public Stateful {
 public:
  static Descriptor descriptor() {
    const fasttext::TrainerOptions options;
    return Descriptor("filters/fasttext_trainer", "0.1.0")
        .summary("Learns a fastText classifier from labelled documents, for filters/fasttext and for the fastText library. Its model is, byte by byte, that of fastText 0.9.2's `supervised` with "
                 "one thread on the same text.")
        .input(Port("in", "documents"))
        .output(Port("model", "fasttext_model", Edge::kArtifact))
        .parameter(string("label_column").names_columns().defaults("label").about("The column of text with each document's label, such as readers/jsonl adds with `columns`. A document without a "
                                                                                  "label is refused as `no_label`."))
        .parameter(number("lr").min_value(0).defaults(options.lr).about("The learning rate at the beginning; it falls to 0."))
        .parameter(integer("dim").range(1, 1 << 16).defaults(options.dim).about("Numbers for each word."))
        .parameter(integer("epochs").range(1, 1'000'000).defaults(options.epochs).about("Passes over the documents."))
        .parameter(integer("min_count").min_value(1).max_value(1 << 30).defaults(options.min_count).about("Words that occur less often have no row of their own."))
        .parameter(integer("word_ngrams").range(1, static_cast<double>(kMostWords)).defaults(1).about("The longest run of words that counts as a feature; 2 for most tasks where word order says something."))
        .parameter(integer("minn").range(0, static_cast<double>(kMostCharacters)).defaults(0).about("The shortest n-gram of characters inside a word."))
        .parameter(integer("maxn").range(0, static_cast<double>(kMostCharacters)).defaults(0).about("The longest; 0: none."))
        .parameter(integer("bucket").range(1, 1 << 30).defaults(options.ngrams.buckets).about("Rows that all n-grams share by their hash. Each takes 4 * dim bytes, where there are n-grams."))
        .less_or_equal("minn", "maxn")
        .determinism("seeded")
        .declares_state()
        .threads("One call at a time, and training runs on one thread: the model depends on the documents and their order alone.")
        .source("Joulin et al. 2016, arXiv:1607.01759; fastText 0.9.2, supervised with loss softmax")
        .example("[node.toxicity]\nplugin = \"filters/fasttext_trainer\"\nin     = \"labelled\"\nlabel_column = \"label\"\nword_ngrams  = 2\nbucket       = 100000\nmemory_bytes = 1_000_000_000\n");
  }

  explicit FastTextTrainerNode(const Params& params) : label_column_(params.string("label_column")) {
    const auto small = [&](const char* name) { return static_cast<std::int32_t>(params.integer(name)); };
    options_.lr = params.number("lr");
    options_.dim = small("dim");
    options_.epochs = small("epochs");
    options_.min_count = small("min_count");
    options_.ngrams = {small("minn"), small("maxn"), small("word_ngrams"), small("bucket")};
  }

  void open(Open& open) override {
    schema_ = open.input();
    const int column = schema_.find(label_column_);
    if (column < 0) throw Error(Code::kInvalidArgument, "the input has no column '" + label_column_ + "', which 'label_column' names");
    if (const std::string& format = schema_.children[static_cast<std::size_t>(column)].format; format != "u")
      throw Error(Code::kInvalidArgument, "column '" + label_column_ + "' has Arrow format '" + format + "', expected text");
    options_.memory_bytes = open.memory_bytes();
    options_.seed = static_cast<std::uint32_t>(open.seed());
    staging_ = open.staging();
    examples_.emplace(staging_ + "/examples");
  }

  void consume(const Call& call, std::size_t, const ArrowArray& in) override {
    const DocumentsView documents(in, schema_);
    const StringColumn labels = documents.strings(label_column_);
    for (std::int64_t row = 0; row < documents.size(); ++row) {
      call.check_stop();
      if (const char* fault = fault_of(labels[row])) call.row_error(row, Code::kInvalidArgument, "no_label", fault);
      else examples_->add(labels[row], documents.text[row]);
      check_memory();
    }
  }

  void finish(const Call& call) override {
    call.log(FLOWRUN_LOG_INFO, "training on " + std::to_string(examples_->examples()) + " documents of " + std::to_string(examples_->tokens()) + " words and labels");
    const auto report = [&](const fasttext::EpochReport& epoch) {
      call.log(FLOWRUN_LOG_INFO, "epoch " + std::to_string(epoch.epoch) + " of " + std::to_string(options_.epochs) + ": mean loss " + std::to_string(epoch.loss));
    };
    fasttext::train(*examples_, options_, staging_ + "/model.bin", report, [&] { call.check_stop(); });
    examples_.reset();  // removes its file: the folder becomes the artifact
  }

  void snapshot(const Call&, const std::string& folder) override { examples_->save(folder); }
  void restore(const Call&, const std::string& folder) override { examples_->load(folder); }
  std::int64_t memory_bytes() override { return examples_ ? static_cast<std::int64_t>(examples_->counts().memory_bytes()) : 0; }

 private:
  void check_memory() {
    if (options_.memory_bytes > 0 && memory_bytes() > options_.memory_bytes)
      throw Error(Code::kOutOfMemory, std::to_string(examples_->counts().entries().size()) + " different words take " + std::to_string(memory_bytes()) + " bytes, 'memory_bytes' is " +
                                          std::to_string(options_.memory_bytes) + ": raise it");
  }

  std::string label_column_, staging_;
  Field schema_;
  fasttext::TrainerOptions options_;
  std::optional<fasttext::TrainingSet> examples_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::FastTextTrainerNode)
