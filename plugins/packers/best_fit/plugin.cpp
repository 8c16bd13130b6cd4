// packers/best_fit: documents put into rows whole, where they fit best; what is left of a row is padding.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "best_fit.hpp"
#include "packers/common/numbers_file.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/best_fit";
constexpr const char* kIndexFile = "/windows.bin";

/// Tokens of all windows so far.
struct Totals {
  std::int64_t tokens = 0, cropped = 0, split_documents = 0;
  void operator+=(const Packing& packing) {
    tokens += packing.token_count();
    cropped += packing.cropped_count();
    split_documents += packing.split_count();
  }
};

class BestFit : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor(kId, "0.1.0")
        .summary("Packs documents into rows of equal length, each whole where it fits: <|endoftext|> after each, the longest first, where least room is left. "
                 "The rest of a row is padding, which no objective scores; an objective that attends both ways sees it.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").required().min_value(2).max_value(1 << 24).about("The tokens of a row; a causal model is trained on one target fewer."))
        .parameter(string("long_documents").choices({"split", "crop"}).defaults("split").about(
            "A document that is longer than a row with its end is split into full rows and a rest (split), or only its first row is kept (crop)."))
        .parameter(integer("window_documents").unit("documents").range(1, 1 << 20).defaults(16384).about(
            "Documents that are packed together, in their order. More leave less padding; a window takes about 100 bytes of memory a document."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer's eos_token, else of its sep_token, which tokens bring along where it is not 0."))
        .parameter(integer("pad_id").range(0, std::numeric_limits<std::uint32_t>::max()).about("The id of padding; left out, the id that ends documents."))
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("Ding et al. 2024, Fewer Truncations Improve Language Modeling, arXiv:2404.10830, algorithm 1. Differs: within windows of documents, so that any row is found "
                "without those before; the rows of a window stand in a seeded order.")
        .example("[node.sequences]\nplugin = \"packers/best_fit\"\nin     = \"mix\"\nsequence_length = 2048\n");
  }

  explicit BestFit(const Params& params)
      : sequence_length_(params.integer("sequence_length")),
        window_documents_(params.integer("window_documents")),
        long_document_(params.string("long_documents") == "crop" ? LongDocument::kCrop : LongDocument::kSplit),
        separator_is_given_(params.has("endoftext_id")),
        pad_is_given_(params.has("pad_id")),
        separator_(static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0))),
        pad_id_(static_cast<std::uint32_t>(params.integer_or("pad_id", 0))) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override { seed_ = open.seed(); }

  /// The index: how many documents, and the first row of each window. Without an end there is nothing to count: it then grows in memory as rows
  /// are asked for.
  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    documents_ = ConcatenatedDataset(inputs);
    refuse_stage_lengths(documents_);
    std::vector<std::int64_t> numbers{std::max<std::int64_t>(0, documents_.count()), 0};
    Totals totals;
    for (std::int64_t window = 0; window * window_documents_ < documents_.count(); ++window) {
      call.check_stop();
      const Packing packing = pack(call, window);
      totals += packing;
      numbers.push_back(numbers.back() + packing.sequence_count());
    }
    save_numbers(staging + kIndexFile, kId, numbers);
    if (documents_.count() >= 0) report(call, totals, numbers.back());
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!separator_is_given_) separator_ = endoftext_of(call, documents_);
    if (!pad_is_given_) pad_id_ = separator_;
    first_rows_ = load_numbers(folder + kIndexFile, kId);
    const std::int64_t expected = std::max<std::int64_t>(0, documents_.count()), found = first_rows_.empty() ? -1 : first_rows_.front();
    const std::int64_t windows = (expected + window_documents_ - 1) / window_documents_;
    if (found != expected || static_cast<std::int64_t>(first_rows_.size()) != windows + 2)
      throw Error(Code::kCorruptData, folder + kIndexFile + " is of " + std::to_string(found) + " documents in " + std::to_string(first_rows_.size()) + " numbers, expected " +
                                          std::to_string(expected) + " in " + std::to_string(windows + 2));
    first_rows_.erase(first_rows_.begin());
  }

  std::int64_t count() override { return documents_.count() < 0 ? -1 : first_rows_.back(); }

  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const std::int64_t rows = count() < 0 ? std::numeric_limits<std::int64_t>::max() : count();
    if (first < 0 || n < 0 || first > rows - n)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " of " + std::to_string(rows));
    if (documents_.count() < 0) extend(call, first + n);
    std::vector<Placed> placed;
    for (std::int64_t row = 0; row < n; ++row) place(call, first + row, row, placed);
    fill(call, placed, n, out);
  }

 private:
  /// A piece in its place in the batch.
  struct Placed {
    std::int64_t document, row, column;
    Piece piece;
  };

  /// Packs the documents of a window.
  Packing pack(const Call& call, std::int64_t window) const {
    const std::int64_t first = window * window_documents_;
    const std::int64_t n = documents_.count() < 0 ? window_documents_ : std::min(window_documents_, documents_.count() - first);
    return {read_lengths(call, documents_, first, n), sequence_length_, long_document_};
  }

  void report(const Call& call, const Totals& totals, std::int64_t rows) const {
    const std::int64_t places = rows * sequence_length_, padded = places - totals.tokens;
    char share[32];
    std::snprintf(share, sizeof share, "%.3f", places > 0 ? 100 * static_cast<double>(padded) / static_cast<double>(places) : 0.0);
    call.log(rows > 0 ? FLOWRUN_LOG_INFO : FLOWRUN_LOG_WARNING,
             std::to_string(documents_.count()) + " documents of " + std::to_string(totals.tokens + totals.cropped) + " tokens with their ends make " + std::to_string(rows) + " sequences of " +
                 std::to_string(sequence_length_) + "; " + std::to_string(padded) + " tokens are padding (" + share + "%), " + std::to_string(totals.cropped) + " are cropped; " +
                 std::to_string(totals.split_documents) + " documents are longer than a sequence; no packing needs fewer than " +
                 std::to_string((totals.tokens + sequence_length_ - 1) / sequence_length_) + " sequences");
  }

  /// Packs windows of an input without end until there are `end` rows.
  void extend(const Call& call, std::int64_t end) {
    const std::lock_guard lock(mutex_);
    while (first_rows_.back() < end) {
      call.check_stop();
      const std::int64_t window = static_cast<std::int64_t>(first_rows_.size()) - 1;
      const auto packing = recent_.get(window, [&] { return pack(call, window); });
      first_rows_.push_back(first_rows_.back() + packing->sequence_count());
    }
  }

  /// Returns the window that holds a row, and its place in the window. The longest documents are packed first, so a seeded permutation mixes the
  /// rows of a window.
  std::pair<std::int64_t, std::int64_t> find(std::int64_t position) {
    const std::lock_guard lock(mutex_);
    const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), position);
    const std::int64_t window = after - first_rows_.begin() - 1, begin = *(after - 1);
    const Permutation permutation(philox_u64(seed_, static_cast<std::uint64_t>(window)), static_cast<std::uint64_t>(*after - begin));
    return {window, static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(position - begin)))};
  }

  /// Adds the pieces of the row at `position` to those of a batch, as its row `row`.
  void place(const Call& call, std::int64_t position, std::int64_t row, std::vector<Placed>& placed) {
    const auto [window, number] = find(position);
    const auto packing = recent_.get(window, [&, at = window] { return pack(call, at); });
    std::int64_t column = 0;
    for (const Piece& piece : packing->sequence(number)) {
      placed.push_back({window * window_documents_ + piece.document, row, column, piece});
      column += piece.length;
    }
  }

  /// Reads the documents of all pieces at once and copies the pieces.
  void fill(const Call& call, const std::vector<Placed>& placed, std::int64_t n, BatchBuilder& out) const {
    PaddedRows rows(n, sequence_length_, pad_id_);
    std::vector<std::int64_t> documents;
    for (const Placed& each : placed) documents.push_back(each.document);
    std::sort(documents.begin(), documents.end());
    documents.erase(std::unique(documents.begin(), documents.end()), documents.end());
    if (!documents.empty()) {
      const OwnedArray batch = documents_.read(call, documents);
      const BatchView view(batch.get(), documents_.schema());
      const StringColumn ids = view.strings("id");
      const ListColumn input_ids = view.lists("input_ids");
      for (const Placed& each : placed) {
        const std::int64_t at = std::lower_bound(documents.begin(), documents.end(), each.document) - documents.begin();
        const auto tokens = input_ids[at];
        const std::size_t kept = std::min<std::size_t>(each.piece.length, tokens.size() - each.piece.offset);
        rows.put(each.row, each.column, tokens.subspan(each.piece.offset, kept));
        if (kept < each.piece.length) rows.put(each.row, each.column + static_cast<std::int64_t>(kept), {&separator_, 1});
        out.add_id(std::string(ids[at]));
      }
    }
    rows.move_to(out);
  }

  static constexpr std::size_t kRecentWindows = 8;  ///< a few megabytes: enough for as many readers in different places

  const std::int64_t sequence_length_, window_documents_;
  const LongDocument long_document_;
  const bool separator_is_given_, pad_is_given_;
  std::uint32_t separator_, pad_id_;  ///< written before the first read
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  RecentParts<Packing> recent_{kRecentWindows};
  std::mutex mutex_;                       ///< guards first_rows_; that of a finite input never changes and is counted without it
  std::vector<std::int64_t> first_rows_;  ///< of each window, and the end
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::BestFit)
