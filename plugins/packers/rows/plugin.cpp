// packers/rows: each document as one row, in order, padded at the right. For comparisons with others, which are given the same rows.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "packers/common/numbers_file.hpp"
#include "packers/common/stages.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/rows";
constexpr const char* kIndexFile = "/documents.bin";
constexpr std::int64_t kLengthsAtOnce = 65536;
constexpr std::int64_t kShortestRow = 2;  ///< a causal model predicts all tokens but the first

/// The column `labels`, where the tokens have one: for each token its label, as list<int32> or list<int64>.
class LabelColumn {
 public:
  explicit LabelColumn(const BatchView& view) {
    const int index = view.schema().find("labels");
    if (index < 0) return;
    const Field& field = view.schema().children[static_cast<std::size_t>(index)];
    const std::string item = field.format == "+l" && field.children.size() == 1 ? field.children[0].format : "";
    if (item != "i" && item != "l") throw Error(Code::kInvalidArgument, "column 'labels' has Arrow format '" + field.format + "' of '" + item + "', expected '+l' of 'i' or 'l'");
    const ArrowArray& column = *view.array().children[index];
    offsets_ = static_cast<const std::int32_t*>(column.buffers[1]) + column.offset + view.array().offset;
    if (item == "i") narrow_ = static_cast<const std::int32_t*>(column.children[0]->buffers[1]) + column.children[0]->offset;
    else wide_ = static_cast<const std::int64_t*>(column.children[0]->buffers[1]) + column.children[0]->offset;
  }
  bool exists() const noexcept { return offsets_ != nullptr; }
  std::int64_t size(std::int64_t row) const noexcept { return offsets_[row + 1] - offsets_[row]; }
  std::int64_t at(std::int64_t row, std::int64_t i) const noexcept { return narrow_ != nullptr ? narrow_[offsets_[row] + i] : wide_[offsets_[row] + i]; }

 private:
  const std::int32_t* offsets_ = nullptr;
  const std::int32_t* narrow_ = nullptr;
  const std::int64_t* wide_ = nullptr;
};

class Rows : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor(kId, "0.1.0")
        .summary("Gives each document as one row, in order, padded at the right: for comparisons with other tools on the same rows. Nothing is added to a document. "
                 "Padding is not scored; an objective that attends both ways sees it.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").min_value(kShortestRow).max_value(1 << 24).about(
            "The tokens of a row: longer documents are cropped, which is reported. Left out, the rows of a batch are as long as its longest document."))
        .parameter(integer("pad_id").range(0, std::numeric_limits<std::uint32_t>::max()).about("The id of padding; left out, the id that ends documents elsewhere, which tokens bring along where it is not 0."))
        .determinism("pure")
        .threads("Rows are read by any number of calls at once.")
        .source("")
        .example("[node.sequences]\nplugin = \"packers/rows\"\nin     = \"tokens\"\nsequence_length = 512\n");
  }

  explicit Rows(const Params& params)
      : sequence_length_(params.integer_or("sequence_length", 0)), pad_is_given_(params.has("pad_id")), pad_id_(static_cast<std::uint32_t>(params.integer_or("pad_id", 0))) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override { refuse_stage_lengths(open.input(0), kId, "a row is a document, as long as that is"); }

  /// The index holds the number of documents alone, to know the input again; -1 for one without end.
  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    const ConcatenatedDataset documents(inputs);
    save_numbers(staging + kIndexFile, kId, std::vector<std::int64_t>{documents.count()});
    if (sequence_length_ > 0 && documents.count() >= 0) report(call, documents);
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!pad_is_given_) pad_id_ = endoftext_of(call, documents_);
    if (const auto found = load_numbers(folder + kIndexFile, kId); found != std::vector<std::int64_t>{documents_.count()})
      throw Error(Code::kCorruptData, folder + kIndexFile + " is of " + (found.empty() ? "no" : std::to_string(found[0])) + " documents, expected " + std::to_string(documents_.count()));
  }

  std::int64_t count() override { return documents_.count(); }

  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    if (n == 0) return PaddedRows(0, std::max(sequence_length_, kShortestRow), pad_id_).move_to(out);
    const OwnedArray batch = documents_.read(call, first, n);
    const BatchView view(batch.get(), documents_.schema());
    const StringColumn ids = view.strings("id");
    const ListColumn input_ids = view.lists("input_ids");
    const LabelColumn labels(view);
    PaddedRows rows(n, row_length(input_ids, n), pad_id_);
    for (std::int64_t row = 0; row < n; ++row) {
      const auto tokens = input_ids[row].first(std::min<std::size_t>(input_ids[row].size(), sequence_length_ > 0 ? static_cast<std::size_t>(sequence_length_) : SIZE_MAX));
      rows.put(row, 0, tokens);
      out.add_id(std::string(ids[row]));
      if (!labels.exists()) continue;
      if (labels.size(row) != static_cast<std::int64_t>(input_ids[row].size()))
        throw Error(Code::kCorruptData, "document '" + std::string(ids[row]) + "' has " + std::to_string(labels.size(row)) + " labels, expected " + std::to_string(input_ids[row].size()) + ", one a token");
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(tokens.size()); ++i) rows.set_label(row, i, labels.at(row, i));
    }
    rows.move_to(out);
  }

 private:
  std::int64_t row_length(const ListColumn& input_ids, std::int64_t n) const {
    if (sequence_length_ > 0) return sequence_length_;
    std::int64_t longest = kShortestRow;
    for (std::int64_t row = 0; row < n; ++row) longest = std::max(longest, static_cast<std::int64_t>(input_ids[row].size()));
    return longest;
  }

  void report(const Call& call, const ConcatenatedDataset& documents) const {
    std::int64_t tokens = 0, cropped = 0, longer = 0;
    for (std::int64_t first = 0; first < documents.count(); first += kLengthsAtOnce) {
      call.check_stop();
      for (const std::int64_t length : read_lengths(call, documents, first, std::min(kLengthsAtOnce, documents.count() - first))) {
        tokens += std::min(length, sequence_length_);
        cropped += std::max<std::int64_t>(0, length - sequence_length_);
        longer += length > sequence_length_ ? 1 : 0;
      }
    }
    call.log(cropped > 0 ? FLOWRUN_LOG_WARNING : FLOWRUN_LOG_INFO,
             std::to_string(documents.count()) + " rows of " + std::to_string(sequence_length_) + " tokens: " + std::to_string(documents.count() * sequence_length_ - tokens) + " are padding; " +
                 std::to_string(cropped) + " tokens of " + std::to_string(longer) + " longer documents are cropped");
  }

  const std::int64_t sequence_length_;  ///< 0: as long as the longest document of a batch
  const bool pad_is_given_;
  std::uint32_t pad_id_;  ///< written before the first read
  ConcatenatedDataset documents_;
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::Rows)
