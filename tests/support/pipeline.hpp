#pragma once

// The data half of a pre-training graph over made text: two kinds of reader, stored three ways, through every portable family.

#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "support/run_test.hpp"

namespace flowrun::testing {

class PipelineTest : public RunTest {
 protected:
  /// Writes `file_count` files for each of the two readers, of about `file_bytes` of text each, and the graph `prepare.toml` beside them.
  void write_pipeline(int file_count, std::size_t file_bytes, std::uint64_t seed = 42) {
    Prose prose(seed);
    for (int i = 0; i < file_count; ++i) {
      std::string book, lines;
      while (book.size() < file_bytes) book += prose.document() + "\n\n";
      while (lines.size() < file_bytes) lines += nlohmann::json{{"text", prose.document()}, {"url", "u" + std::to_string(lines.size())}}.dump() + "\n";
      write("books/" + std::to_string(i) + ".txt", book);
      const std::string name = "web/" + std::to_string(i) + ".jsonl";
      if (i % 3 == 0) write(name, lines);
      else if (i % 3 == 1) write(name + ".gz", readers::gzip(lines));
      else write(name + ".zst", readers::zstd(lines));
    }
    write("prepare.toml", R"([run]
name = "prepare"
seed = 7
batch_bytes = 16_384
memory_bytes = 4_000_000
[node.books]
plugin = "readers/text"
paths = ["books/*.txt"]
domain = "books"
split = "blank_lines"
[node.web]
plugin = "readers/jsonl"
paths = ["web/*"]
domain = "web"
[node.unique]
plugin = "dedupers/exact"
in = ["books", "web"]
cache = true
[node.good]
plugin = "filters/gopher_quality"
in = "unique"
words = "whitespace"
[node.parts]
plugin = "filters/split"
in = "good"
heldout_fraction = 0.1
[node.vocabulary]
plugin = "tokenizers/bpe_trainer"
in = "parts.train"
vocab_size = 400
[node.train_tokens]
plugin = "tokenizers/bpe"
in = "parts.train"
tokenizer = "vocabulary"
[node.heldout_tokens]
plugin = "tokenizers/bpe"
in = "parts.heldout"
tokenizer = "vocabulary"
[node.mix]
plugin = "mixers/weighted"
in = "train_tokens"
weights = { web = 2.0 }
epochs = 2.0
[node.sequences]
plugin = "packers/concat"
in = "mix"
sequence_length = 64
shuffle_window = 16
[node.clean]
plugin = "writers/jsonl"
in = "parts.train"
path = "clean/train.jsonl.zst"
[node.clean_heldout]
plugin = "writers/jsonl"
in = "parts.heldout"
path = "clean/heldout.jsonl"
)");
  }

  /// Returns the command that runs the graph into `output` with artifacts of its own.
  std::vector<std::string> prepare(const std::string& output, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"run", "prepare.toml", "--output", output, "--artifacts", "artifacts-" + output, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// Returns what a run gives: its outputs, its account of the documents, and every artifact.
  std::map<std::string, std::string> results(const std::string& output) const {
    auto files = artifacts_of(output, "artifacts-" + output);
    for (const char* name : {"funnel.json", "dropped.jsonl.zst", "clean/train.jsonl.zst", "clean/heldout.jsonl"}) files[name] = read(output + "/" + name);
    return files;
  }
};

}  // namespace flowrun::testing
