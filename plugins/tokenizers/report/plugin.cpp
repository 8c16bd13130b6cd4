// tokenizers/report: how well a tokenizer suits a text. What is counted is in tally.cpp, what is made of the counts in report.cpp and markdown.cpp.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/node.hpp>

#include "measured_tokenizer.hpp"
#include "report.hpp"
#include "tally.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

namespace fs = std::filesystem;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Error(Code::kIo, "'" + path + "' cannot be written, needs " + std::to_string(text.size()) + " bytes");
}

/// One of the tokenizers side by side: the one reported on, or a baseline.
struct CountedTokenizer {
  explicit CountedTokenizer(const std::string& path) : tokenizer(path), tally(tokenizer.vocabulary()) {}

  std::string name;
  std::string file;  ///< "" for the artifact
  MeasuredTokenizer tokenizer;
  TokenizerTally tally;   ///< refers to `tokenizer`, so neither moves
  MeasuredTokens tokens;  ///< of one document
};

class ReportNode : public Serial, public Stateful {
 public:
  static Descriptor descriptor() {
    return Descriptor("tokenizers/report", "0.1.0")
        .summary(
            "Reports how a tokenizer suits a text: bytes per token, fertility and unknown tokens by domain, beside other tokenizers on the same text; unused "
            "and longest tokens of its vocabulary. Writes JSON and the same as tables.")
        .input(Port("in", "documents"))
        .input(Port("tokenizer", "tokenizer", Edge::kArtifact).optional())
        .parameter(path("tokenizer_path").about("A tokenizer.json of Hugging Face tokenizers, instead of the port 'tokenizer'."))
        .parameter(paths("baselines").about("Other tokenizer.json files, to stand beside it on the same text."))
        .parameter(integer("longest").unit("tokens").defaults(20).range(0, 10000).about("How many of the longest tokens are listed."))
        .parameter(output_path("path").defaults("tokenizer-report.json").about("The report as JSON, relative to the run's folder."))
        .parameter(output_path("tables")
                       .defaults("tokenizer-report.md")
                       .about("The report as tables, in Markdown that reads as plain text, relative to the run's folder."))
        .parameter(output_path("folder")
                       .about("Puts a copy of the tokenizer here, a folder relative to the run's: tokenizer.json and tokenizer_config.json, as Hugging Face "
                              "loads them."))
        .exactly_one_of({"tokenizer", "tokenizer_path"})
        .at_most_one_of({"folder", "tokenizer_path"})
        .determinism("pure")
        .threads("One call at a time. Counts are sums, so they depend neither on batches nor on threads. Memory: 8 bytes an id, and the different lengths of "
                 "documents.")
        .source("Fertility and continued words: Rust et al. 2021, arXiv:2012.15613, words cut at white space. R\u00E9nyi efficiency of order 2.5: Zouhar et "
                "al. 2023, arXiv:2306.16842. Text is encoded as by tokenizers/bpe and its siblings: all of it is data, nothing is added.")
        .example("[node.report]\nplugin = \"tokenizers/report\"\nin = \"documents\"\ntokenizer = \"vocabulary\"\nfolder = \"tokenizer\"\n");
  }

  explicit ReportNode(const Params& params)
      : longest_count_(static_cast<std::size_t>(params.integer("longest"))),
        report_name_(name_of(params.string("path"))),
        tables_name_(name_of(params.string("tables"))),
        folder_name_(params.has("folder") ? name_of(params.string("folder")) : ""),
        files_(params.files("tokenizer_path")) {
    const auto baselines = params.files("baselines");
    files_.insert(files_.end(), baselines.begin(), baselines.end());
  }

  void open(Open& open) override {
    schema_ = open.input();
    staging_ = open.staging();
    artifact_ = open.artifact("tokenizer");
    if (!artifact_.empty()) {
      tokenizers_.push_back(std::make_unique<CountedTokenizer>(artifact_ + "/tokenizer.json"));
      tokenizers_.back()->name = kArtifactName;
    }
    std::vector<std::string> shown;
    for (const InputFile& file : files_) shown.push_back(file.display);
    const std::vector<std::string> names = short_names(shown);
    for (std::size_t i = 0; i < files_.size(); ++i) {
      tokenizers_.push_back(std::make_unique<CountedTokenizer>(files_[i].path));
      tokenizers_.back()->name = names[i];
      tokenizers_.back()->file = shown[i];
    }
  }

  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override {
    const DocumentsView documents(in, schema_);
    for (std::int64_t row = 0; row < documents.size(); ++row) {
      call.check_stop();
      if (encode(call, row, documents.text[row])) count(std::string(documents.domain[row]), documents.text[row]);
    }
  }

  void finish(const Call& call, std::span<ArrowArray>) override {
    std::vector<ReportedTokenizer> reported;
    for (const auto& counted : tokenizers_)
      reported.push_back({counted->name, counted->file, counted->tokenizer.model_type(), &counted->tally});
    const ReportJson report = make_report(texts_, reported, longest_count_);
    write_file(staging_ + "/" + report_name_, report.dump(1, ' ', false, ReportJson::error_handler_t::replace) + "\n");
    write_file(staging_ + "/" + tables_name_, markdown_of(report));
    if (!folder_name_.empty()) copy_tokenizer();
    if (texts_.empty())
      call.log(FLOWRUN_LOG_WARNING,
               "no document came in, so the report is on the vocabulary alone; a held-out part needs more documents or a larger share of them");
  }

  void snapshot(const Call&, const std::string& folder) override {
    Json tallies = Json::array();
    for (const auto& counted : tokenizers_) tallies.push_back(counted->tally.to_json());
    write_file(folder + "/counts.json", Json{{"texts", to_json(texts_)}, {"tokenizers", std::move(tallies)}}.dump());
  }

  void restore(const Call&, const std::string& folder) override {
    const Json saved = Json::parse(read_text(folder + "/counts.json"), nullptr, false);
    const bool has_both = saved.is_object() && saved.contains("texts") && saved.contains("tokenizers");
    if (!has_both || !saved["tokenizers"].is_array() || saved["tokenizers"].size() != tokenizers_.size())
      throw Error(Code::kCorruptData, "'" + folder + "/counts.json' is not the state of a report on " + std::to_string(tokenizers_.size()) + " tokenizers");
    texts_ = text_counts_of(saved["texts"]);
    for (std::size_t i = 0; i < tokenizers_.size(); ++i) tokenizers_[i]->tally.restore(saved["tokenizers"][i]);
  }

  std::int64_t memory_bytes() override {
    constexpr std::size_t kNodeBytes = 48;  // of a map: two numbers and what the tree needs
    std::size_t bytes = 0;
    for (const auto& counted : tokenizers_) {
      bytes += counted->tally.counts().size() * sizeof(std::uint64_t);
      for (const auto& [domain, counts] : counted->tally.domains()) bytes += domain.size() + sizeof counts + counts.documents_by_tokens.size() * kNodeBytes;
    }
    return static_cast<std::int64_t>(bytes);
  }

 private:
  /// Returns the name below the staging folder, which the host has chosen.
  static std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

  /// Encodes a text by every tokenizer, so that all are measured on the same texts; refuses one that any of them has no token for.
  bool encode(const Call& call, std::int64_t row, std::string_view text) {
    for (const auto& counted : tokenizers_) try {
        counted->tokenizer.encode(text, counted->tokens);
      } catch (const Error& error) {
        if (error.code() != Code::kInvalidArgument) throw;
        call.row_error(row, error.code(), "not_in_vocabulary", counted->name + ": " + error.message());
        return false;
      }
    return true;
  }

  void count(const std::string& domain, std::string_view text) {
    words_.read(text);
    texts_[domain] += {1, text.size(), words_.character_count, words_.bytes.size()};
    for (const auto& counted : tokenizers_) counted->tally.add(domain, words_, counted->tokens);
  }

  void copy_tokenizer() const {
    fs::create_directory(staging_ + "/" + folder_name_);
    for (const std::string name : {"tokenizer.json", "tokenizer_config.json"})
      if (fs::exists(artifact_ + "/" + name)) write_file(staging_ + "/" + folder_name_ + "/" + name, read_text(artifact_ + "/" + name));
  }

  const std::size_t longest_count_;
  const std::string report_name_, tables_name_, folder_name_;  // the last is "" where no copy is wanted
  std::vector<InputFile> files_;  // tokenizers that come from no artifact, the one reported on first
  Field schema_;
  std::string staging_, artifact_;
  std::vector<std::unique_ptr<CountedTokenizer>> tokenizers_;  // the one reported on first
  std::map<std::string, TextCounts> texts_;  // by domain
  DocumentWords words_;                      // of one document
};

}  // namespace
}  // namespace flowrun::tokenizers

FLOWRUN_PLUGIN(flowrun::tokenizers::ReportNode)
