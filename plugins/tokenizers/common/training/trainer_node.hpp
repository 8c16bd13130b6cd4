#pragma once

// What the trainers of tokenizers share: tokenizers/bpe_trainer, unigram_trainer and wordpiece_trainer differ in how they cut a document into words, and in
// what they learn from their counts.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <flowrun/node.hpp>

#include "free_memory.hpp"
#include "word_counter.hpp"

namespace flowrun::tokenizers {

/// Reads all documents, counts their words in bounded memory, and trains.
class TrainerNode : public Blocking, public Stateful {
 public:
  void open(Open& open) override {
    schema_ = open.input();
    staging_ = open.staging();
    const std::int64_t bound = open.memory_bytes();
    words_.emplace(bound > 0 ? WordCounter::Options{static_cast<std::size_t>(bound), staging_} : WordCounter::Options{.folder = staging_});
  }

  void consume(const Call& call, std::size_t, const ArrowArray& in) override {
    const DocumentsView documents(in, schema_);
    for (std::int64_t row = 0; row < documents.size(); ++row) {
      call.check_stop();
      const std::string_view text = documents.text[row];
      count(text, *words_);
      log_text(call, text.size());
    }
  }

  void finish(const Call& call) override {
    call.log(FLOWRUN_LOG_INFO, "training on " + std::to_string(words_->words()) + " words in " + std::to_string(bytes_) + " bytes of text");
    give_back_memory();  // of the documents
    train(call, *words_, staging_);
  }

  void snapshot(const Call&, const std::string& folder) override { words_->save(folder + "/words"); }
  void restore(const Call&, const std::string& folder) override { words_->load(folder + "/words"); }
  std::int64_t memory_bytes() override { return static_cast<std::int64_t>(words_->memory_bytes()); }

 protected:
  /// Adds the words of one document, of any bytes.
  virtual void count(std::string_view text, WordCounter& words) = 0;
  /// Writes tokenizer.json and tokenizer_config.json to the folder `staging`.
  virtual void train(const Call& call, WordCounter& words, const std::string& staging) = 0;

  /// Says how many words there are to learn from.
  static void log_words(const Call& call, WordCounter& words) {
    std::size_t distinct = 0, bytes = 0;
    words.for_each([&](std::string_view word, std::uint64_t) {
      ++distinct;
      bytes += word.size();
    });
    call.log(FLOWRUN_LOG_INFO, "learning from " + std::to_string(distinct) + " distinct words of " + std::to_string(bytes) + " bytes");
  }

  /// Returns what the descriptors have in common.
  static Descriptor describe(const std::string& id, const std::string& version, const std::string& summary, const std::string& source) {
    return Descriptor(id, version)
        .summary(summary)
        .input(Port("in", "documents"))
        .output(Port("tokenizer", "tokenizer", Edge::kArtifact))
        .determinism("pure")
        .declares_state()
        .threads("One call at a time. The tokenizer depends on the documents alone, not on their order, the threads or the memory.")
        .source(source);
  }

 private:
  /// Says how far the counting is, each time that the text has doubled from 64 MiB on.
  void log_text(const Call& call, std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ < next_log_) return;
    while (next_log_ <= bytes_) next_log_ *= 2;
    call.log(FLOWRUN_LOG_INFO, "counted the words of " + std::to_string(bytes_ >> 20) + " MiB of text; " + std::to_string(words_->runs()) + " sorted runs on disk");
  }

  Field schema_;
  std::string staging_;
  std::optional<WordCounter> words_;  // made by `open`, which knows the bound
  std::uint64_t bytes_ = 0, next_log_ = std::uint64_t{64} << 20;
};

}  // namespace flowrun::tokenizers
