// mixers/quality_weights: measures each domain and gives weights for mixers/weighted. The formula is in quality.hpp, the measures are in measures.hpp.

#include <flowrun/node.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measures.hpp"
#include "mixers/common/number_column.hpp"
#include "quality.hpp"

namespace flowrun::mixers {
namespace {

class QualityWeights : public Blocking {
 public:
  static Descriptor descriptor() {
    return Descriptor("mixers/quality_weights", "0.1.0")
        .summary("Measures the quality of each domain, by scores, compression and duplicates, and gives weights that mixers/weighted takes as `weights_from`.")
        .input({"in", "documents"})
        .output(Port("weights", "mixture_weights", Edge::kArtifact))
        .parameter(strings("columns").names_columns().about("Score columns, such as filters add: a domain's weight grows with their means over its documents."))
        .parameter(missing_scores())
        .parameter(number("score_power").defaults(1.0).range(0, 10).about("The power of the scores' product; 0 leaves them out."))
        .parameter(number("compression_power").defaults(1.0).range(0, 10).about("The power of compressed bytes per byte; 0 leaves it out."))
        .parameter(number("duplicate_power").defaults(1.0).range(0, 10).about("The power of the shares of documents and of lines that are no copies; 0 leaves them out."))
        .parameter(integer("sample_bytes").unit("bytes").defaults(4 << 20).range(1 << 16, 1 << 30).about("The text of each domain that is compressed, chosen by a hash of the documents' ids."))
        .parameter(integer("duplicate_hashes").defaults(1 << 18).range(1 << 8, 1 << 26).about(
            "Different documents, and lines, of each domain that are counted; where there are more, a sample of them by their hash."))
        .determinism("pure")
        .threads("One call at a time. The weights do not depend on batches or threads.")
        .source(
            "w_i = v_i / mean of v over all bytes, v_i = (product of score means over those of all documents)^score_power * (compressed / raw bytes)^compression_power * "
            "((1 - share of duplicate documents) (1 - share of duplicate lines))^duplicate_power. Compression: Yin et al. 2024, arXiv:2407.06645; duplicates: Lee et al. 2022, "
            "arXiv:2107.06499; their product with scores is flowrun's choice. Random text compresses least of all: filter before. The artifact is weights.json, with "
            "every figure. Memory: `sample_bytes` and about 80 bytes x `duplicate_hashes` a domain.")
        .example("[node.quality]\nplugin  = \"mixers/quality_weights\"\nin      = \"documents\"\n\n[node.mix]\nplugin  = \"mixers/weighted\"\nin      = \"tokens\"\nweights_from = \"quality\"\n");
  }

  explicit QualityWeights(const Params& params)
      : columns_(params.strings("columns")),
        missing_scores_(params.numbers_by_key("missing_scores")),
        powers_{params.number("score_power"), params.number("compression_power"), params.number("duplicate_power")},
        sample_bytes_(static_cast<std::size_t>(params.integer("sample_bytes"))),
        duplicate_hashes_(static_cast<std::size_t>(params.integer("duplicate_hashes"))) {
    check_missing_scores(missing_scores_, columns_);
  }

  void open(Open& open) override {
    schema_ = open.input();
    for (const std::string& column : columns_) NumberColumn::check(schema_, column, "columns");
    staging_ = open.staging();
  }

  void consume(const Call& call, std::size_t, const ArrowArray& in) override {
    const DocumentsView documents(in, schema_);
    std::vector<NumberColumn> scores;
    for (const std::string& column : columns_) scores.emplace_back(in, schema_, column, "columns", missing_scores_);
    for (std::int64_t row = 0; row < documents.size(); ++row) {
      call.check_stop();
      Measures& domain = measures_of(documents.domain[row]);
      const std::string_view text = documents.text[row];
      ++domain.quality.documents;
      domain.quality.bytes += static_cast<std::int64_t>(text.size());
      for (std::size_t c = 0; c < columns_.size(); ++c) domain.quality.score_sums[columns_[c]] += scores[c][row];
      domain.sample.add(documents.id[row], text);
      domain.documents.add(text);
      add_lines(text, domain.lines);
    }
  }

  void finish(const Call& call) override {
    std::vector<DomainQuality> domains;
    for (auto& [name, measures] : measures_) domains.push_back(result_of(measures));
    if (domains.empty()) throw Error(Code::kInvalidArgument, "the input has no document, expected some to measure");
    set_weights(domains, columns_, powers_);
    std::ofstream out(staging_ + "/weights.json", std::ios::binary);
    out << quality_json(domains, columns_, powers_);
    out.close();
    if (!out) throw Error(Code::kIo, staging_ + "/weights.json cannot be written");
    for (const DomainQuality& domain : domains) call.log(FLOWRUN_LOG_INFO, "weight of '" + domain.name + "': " + json::number(domain.weight));
  }

 private:
  struct Measures {
    DomainQuality quality;
    CompressionSample sample;
    DuplicateShare documents, lines;
  };

  Measures& measures_of(std::string_view name) {
    const auto it = measures_.find(name);
    if (it != measures_.end()) return it->second;
    Measures measures{{}, CompressionSample(sample_bytes_), DuplicateShare(duplicate_hashes_), DuplicateShare(duplicate_hashes_)};
    measures.quality.name = name;
    for (const std::string& column : columns_) measures.quality.score_sums[column] = 0;
    return measures_.emplace(std::string(name), std::move(measures)).first->second;
  }

  /// Adds each line that is more than white space, without the white space around it.
  static void add_lines(std::string_view text, DuplicateShare& lines) {
    constexpr std::string_view kSpace = " \t\r\v\f";
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::string_view line = text.substr(begin, end - begin);
      begin = end + 1;
      line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
      if (line.empty()) continue;
      lines.add(line.substr(0, line.find_last_not_of(kSpace) + 1));
    }
  }

  static DomainQuality result_of(Measures& measures) {
    const auto compressed = measures.sample.compress();
    DomainQuality quality = std::move(measures.quality);
    quality.sample_bytes = compressed.bytes;
    quality.compressed_bytes = compressed.compressed_bytes;
    quality.compression_ratio = compressed.ratio();
    quality.duplicate_documents = measures.documents.share();
    quality.duplicate_lines = measures.lines.share();
    quality.duplicates_are_exact = measures.documents.is_exact() && measures.lines.is_exact();
    return quality;
  }

  const std::vector<std::string> columns_;
  const MissingScores missing_scores_;
  const QualityPowers powers_;
  const std::size_t sample_bytes_, duplicate_hashes_;
  Field schema_;
  std::string staging_;
  std::map<std::string, Measures, std::less<>> measures_;  ///< by domain
};

}  // namespace
}  // namespace flowrun::mixers

FLOWRUN_PLUGIN(flowrun::mixers::QualityWeights)
