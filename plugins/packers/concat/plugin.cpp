// packers/concat: documents one after another, <|endoftext|> after each, cut into rows of equal length.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "concat.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kIndexFile = "/offsets.bin";

/// A document and the place of its first token.
struct Place {
  std::int64_t document, offset;
};

class Concat : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("packers/concat", "0.1.0")
        .summary("Packs documents into rows of equal length: one after another, <|endoftext|> after each, cut wherever a row is full.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").required().min_value(2).max_value(1 << 24).about("The tokens of a row; a causal model is trained on one target fewer."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer's eos_token, else of its sep_token, which tokens bring along where it is not 0."))
        .parameter(integer("shuffle_window").unit("sequences").range(0, 1 << 20).defaults(0).about(
            "Sequences that change places among themselves by a seeded permutation, so that a batch holds many documents; 0 keeps their order."))
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("Brown et al. 2020, arXiv:2005.14165, appendix B: documents share a sequence, divided by an end-of-text token alone.")
        .example("[node.sequences]\nplugin = \"packers/concat\"\nin     = \"mix\"\nsequence_length = 256\n");
  }

  explicit Concat(const Params& params)
      : sequence_length_(params.integer("sequence_length")),
        separator_(static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0))),
        separator_is_given_(params.has("endoftext_id")),
        shuffle_window_(params.integer("shuffle_window")) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override { seed_ = open.seed(); }

  /// Without an end there is nothing to count: the index is then empty and grows in memory as rows are asked for.
  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    const ConcatenatedDataset documents(inputs);
    refuse_stage_lengths(documents);
    OffsetIndex index;
    for (std::int64_t first = 0; first < documents.count(); first += OffsetIndex::kSegmentDocuments) {
      call.check_stop();
      index.append(read_lengths(call, documents, first, std::min(OffsetIndex::kSegmentDocuments, documents.count() - first)));
    }
    index.save(staging + kIndexFile);
    if (documents.count() < 0) return;
    const std::int64_t rows = index.token_count() / sequence_length_;
    call.log(rows > 0 ? FLOWRUN_LOG_INFO : FLOWRUN_LOG_WARNING,
             std::to_string(index.document_count()) + " documents of " + std::to_string(index.token_count()) + " tokens with their ends make " + std::to_string(rows) +
                 " sequences of " + std::to_string(sequence_length_) + "; " + std::to_string(index.token_count() % sequence_length_) + " tokens at the end are dropped");
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!separator_is_given_) separator_ = endoftext_of(call, documents_);
    index_ = OffsetIndex::load(folder + kIndexFile);
    const std::int64_t expected = std::max<std::int64_t>(0, documents_.count());
    if (index_.document_count() != expected)
      throw Error(Code::kCorruptData, folder + kIndexFile + " is of " + std::to_string(index_.document_count()) + " documents, expected " + std::to_string(expected));
  }

  std::int64_t count() override { return documents_.count() < 0 ? -1 : index_.token_count() / sequence_length_; }

  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const std::int64_t rows = count() < 0 ? std::numeric_limits<std::int64_t>::max() / sequence_length_ : count();
    if (first < 0 || n < 0 || first > rows - n)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " of " + std::to_string(rows));
    std::vector<std::int64_t> tokens;
    tokens.reserve(static_cast<std::size_t>(n * sequence_length_));
    for (std::int64_t i = 0, run; i < n; i += run) {
      const std::int64_t sequence = shuffled(first + i, rows);
      for (run = 1; i + run < n && shuffled(first + i + run, rows) == sequence + run;) ++run;
      append(call, sequence, run, tokens, out);
    }
    out.add("input_ids", std::move(tokens), n, sequence_length_);
  }

 private:
  using Offsets = std::shared_ptr<const std::vector<std::int64_t>>;  ///< of a segment's documents

  /// Returns the sequence that stands at `position` of `rows`: each window is permuted by a key of its own, the last one may be short.
  std::int64_t shuffled(std::int64_t position, std::int64_t rows) const {
    if (shuffle_window_ <= 1) return position;
    const std::int64_t window = position / shuffle_window_, begin = window * shuffle_window_;
    const Permutation permutation(philox_u64(seed_, static_cast<std::uint64_t>(window)), static_cast<std::uint64_t>(std::min(shuffle_window_, rows - begin)));
    return begin + static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(position - begin)));
  }

  /// Appends the tokens of `n` sequences that follow one another, and names their documents.
  void append(const Call& call, std::int64_t first, std::int64_t n, std::vector<std::int64_t>& tokens, BatchBuilder& out) {
    const std::int64_t begin = first * sequence_length_, size = n * sequence_length_;
    TokenWindow window(begin, size, separator_);
    if (documents_.count() < 0) extend(call, begin + size);
    const Place from = find(call, begin);
    fill(call, from, find(call, begin + size - 1).document + 1 - from.document, window, out);
    const auto taken = window.take();
    tokens.insert(tokens.end(), taken.begin(), taken.end());
  }

  void fill(const Call& call, const Place& from, std::int64_t documents, TokenWindow& window, BatchBuilder& out) const {
    const OwnedArray rows = documents_.read(call, from.document, documents);
    const BatchView view(rows.get(), documents_.schema());
    const StringColumn ids = view.strings("id");
    const ListColumn input_ids = view.lists("input_ids");
    std::int64_t offset = from.offset;
    for (std::int64_t row = 0; row < documents; ++row) {
      window.append(offset, input_ids[row]);
      out.add_id(std::string(ids[row]));
      offset += static_cast<std::int64_t>(input_ids[row].size()) + 1;
    }
  }

  /// Finds the document that the token at `offset` belongs to; its end token is part of it.
  Place find(const Call& call, std::int64_t offset) {
    std::int64_t segment;
    {
      const std::lock_guard lock(mutex_);
      segment = index_.segment_of(offset);
    }
    const Offsets offsets = offsets_of(call, segment);
    const auto it = std::upper_bound(offsets->begin(), offsets->end(), offset) - 1;
    return {segment * OffsetIndex::kSegmentDocuments + (it - offsets->begin()), *it};
  }

  /// Grows the index of an input without end until it holds the first `end` tokens, by whole segments.
  void extend(const Call& call, std::int64_t end) {
    const std::lock_guard lock(mutex_);
    while (index_.token_count() < end) {
      call.check_stop();
      const std::int64_t segment = index_.segment_count(), offset = index_.token_count();
      const auto lengths = read_lengths(call, documents_, segment * OffsetIndex::kSegmentDocuments, OffsetIndex::kSegmentDocuments);
      index_.append(lengths);
      recent_.get(segment, [&] { return add_up(offset, lengths); });
    }
  }

  Offsets offsets_of(const Call& call, std::int64_t segment) {
    std::int64_t offset, documents;
    {
      const std::lock_guard lock(mutex_);
      offset = index_.offset_of(segment);
      documents = std::min(OffsetIndex::kSegmentDocuments, index_.document_count() - segment * OffsetIndex::kSegmentDocuments);
    }
    return recent_.get(segment, [&] { return add_up(offset, read_lengths(call, documents_, segment * OffsetIndex::kSegmentDocuments, documents)); });
  }

  static std::vector<std::int64_t> add_up(std::int64_t offset, const std::vector<std::uint32_t>& lengths) {
    std::vector<std::int64_t> offsets;
    offsets.reserve(lengths.size());
    for (const std::uint32_t length : lengths) {
      offsets.push_back(offset);
      offset += std::int64_t{length} + 1;
    }
    return offsets;
  }

  static constexpr std::size_t kRecentSegments = 16;  ///< half a megabyte: enough for as many readers in different places

  const std::int64_t sequence_length_;
  std::uint32_t separator_;  ///< written before the first read
  const bool separator_is_given_;
  const std::int64_t shuffle_window_;
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  RecentParts<std::vector<std::int64_t>> recent_{kRecentSegments};
  std::mutex mutex_;  ///< guards index_; that of a finite input never changes and is counted without it
  OffsetIndex index_;
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::Concat)
