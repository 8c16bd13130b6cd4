// packers/best_fit: documents put into rows whole, where they fit best; what is left of a row is padding. Rows have one length for each stage.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "best_fit.hpp"
#include "packers/common/stages.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

/// Tokens of windows.
struct Totals {
  std::int64_t tokens = 0, cropped = 0, split_documents = 0;
  void operator+=(const Packing& packing) {
    tokens += packing.token_count();
    cropped += packing.cropped_count();
    split_documents += packing.split_count();
  }
  void operator+=(const Totals& other) {
    tokens += other.tokens;
    cropped += other.cropped;
    split_documents += other.split_documents;
  }
};

class BestFit : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("packers/best_fit", "0.1.0")
        .summary("Packs documents into rows of equal length, each whole where it fits: <|endoftext|> after each, the longest first, where least room is left. "
                 "The rest of a row is padding, which no objective scores; an objective that attends both ways sees it. Stages of a mixer may have a length of their own.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").required().min_value(2).max_value(1 << 24).about(
            "The tokens of a row; a causal model is trained on one target fewer. Where the mixer's stages say a `sequence_length`, which must divide this one, rows have that "
            "many and share a place of so many tokens: every step has as many. A stage begins a new place; what the one before leaves of its last place is padding."))
        .parameter(string("long_documents").choices({"split", "crop"}).defaults("split").about(
            "A document that is longer than a row with its end is split into full rows and a rest (split), or only its first row is kept (crop)."))
        .parameter(integer("window_documents").unit("documents").range(1, 1 << 20).defaults(16384).about(
            "Documents that are packed together, in their order. More leave less padding; a window takes about 100 bytes of memory a document."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer's eos_token, else of its sep_token, which tokens bring along where it is not 0."))
        .parameter(integer("pad_id").range(0, std::numeric_limits<std::uint32_t>::max()).about("The id of padding; left out, the id that ends documents."))
        .parameter(follow_stages_parameter())
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("Ding et al. 2024, Fewer Truncations Improve Language Modeling, arXiv:2404.10830, algorithm 1. Differs: within windows of documents, so that any row is found "
                "without those before; the rows of a window stand in a seeded order.")
        .example("[node.sequences]\nplugin = \"packers/best_fit\"\nin     = \"mix\"\nsequence_length = 2048\n");
  }

  explicit BestFit(const Params& params)
      : sequence_length_(params.integer("sequence_length")),
        stages_{sequence_length_, params.boolean("follow_stages")},
        window_documents_(params.integer("window_documents")),
        long_document_(params.string("long_documents") == "crop" ? LongDocument::kCrop : LongDocument::kSplit),
        separator_is_given_(params.has("endoftext_id")),
        pad_is_given_(params.has("pad_id")),
        separator_(static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0))),
        pad_id_(static_cast<std::uint32_t>(params.integer_or("pad_id", 0))),
        index_(sequence_length_) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override { seed_ = open.seed(); }

  /// Without an end there is nothing to count: the index is then empty and grows in memory as rows are asked for.
  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    documents_ = ConcatenatedDataset(inputs);
    index_ = WindowIndex(sequence_length_);
    std::vector<Totals> totals;  // by section
    while (index_.document_count() < documents_.count()) {
      call.check_stop();
      const auto packing = add_window(call);
      totals.resize(index_.sections().size());
      totals.back() += *packing;
    }
    index_.save(staging);
    if (documents_.count() >= 0) report(call, totals);
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!separator_is_given_) separator_ = endoftext_of(call, documents_);
    if (!pad_is_given_) pad_id_ = separator_;
    index_ = WindowIndex::load(folder, sequence_length_);
    const std::int64_t expected = std::max<std::int64_t>(0, documents_.count());
    if (index_.document_count() != expected)
      throw Error(Code::kCorruptData, folder + " has the index of " + std::to_string(index_.document_count()) + " documents, expected " + std::to_string(expected));
  }

  std::int64_t count() override { return documents_.count() < 0 ? -1 : index_.place_count(); }

  /// Positions are places. A read ends early where the length of rows changes.
  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const std::int64_t places = count() < 0 ? std::numeric_limits<std::int64_t>::max() : count();
    if (first < 0 || n < 0 || first > places - n)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " of " + std::to_string(places));
    if (documents_.count() < 0) extend(call, first + n);
    std::vector<Placed> placed;
    std::int64_t rows = 0, length = sequence_length_;
    for (std::int64_t at = first; at < first + n; ++at) {
      const std::int64_t own_length = length_at(at);
      if (at > first && own_length != length) break;
      length = own_length;
      for (std::int64_t i = 0; i < sequence_length_ / length; ++i) place(call, at, i, rows++, placed);
    }
    fill(call, placed, rows, length, out);
  }

 private:
  /// A piece in its place in the batch.
  struct Placed {
    std::int64_t document, row, column;
    Piece piece;
  };

  /// Packs the documents behind the last window, as many as a window holds and one stage has.
  std::shared_ptr<const Packing> add_window(const Call& call) {
    const std::int64_t first = index_.document_count();
    const std::int64_t n = documents_.count() < 0 ? window_documents_ : std::min(window_documents_, documents_.count() - first);
    const DocumentSizes sizes = read_sizes(call, documents_, first, n, stages_);
    const StageRun& stage = sizes.runs.front();
    const std::int64_t own = sizes.runs.size() > 1 ? sizes.runs[1].first : n;
    auto packing = recent_.get(index_.window_count(), [&] { return Packing(std::span(sizes.lengths).first(static_cast<std::size_t>(own)), stage.sequence_length, long_document_); });
    index_.append(stage, own, packing->sequence_count());
    return packing;
  }

  Packing pack(const Call& call, const WindowIndex::Window& window) const {
    return {read_lengths(call, documents_, window.first_document, window.document_count), window.sequence_length, long_document_};
  }

  void report(const Call& call, const std::vector<Totals>& totals) const {
    Totals all;
    std::int64_t fewest = 0;
    std::string stages;
    for (std::size_t s = 0; s < totals.size(); ++s) {
      const std::int64_t length = index_.sections()[s].sequence_length;
      all += totals[s];
      fewest += (totals[s].tokens + length - 1) / length;
      stages += (s == 0 ? "" : ", ") + ("stage " + std::to_string(index_.sections()[s].stage)) + " " + std::to_string(index_.row_count(s)) + " of " + std::to_string(length);
    }
    const bool has_stages = totals.size() > 1 || (totals.size() == 1 && index_.sections()[0].sequence_length != sequence_length_);
    const std::int64_t tokens = index_.place_count() * sequence_length_, padded = tokens - all.tokens;
    char share[32];
    std::snprintf(share, sizeof share, "%.3f", tokens > 0 ? 100 * static_cast<double>(padded) / static_cast<double>(tokens) : 0.0);
    call.log(tokens > 0 ? FLOWRUN_LOG_INFO : FLOWRUN_LOG_WARNING,
             std::to_string(documents_.count()) + " documents of " + std::to_string(all.tokens + all.cropped) + " tokens with their ends make " + std::to_string(index_.place_count()) +
                 (has_stages ? " places of " : " sequences of ") + std::to_string(sequence_length_) + (has_stages ? "; sequences: " + stages : "") + "; " + std::to_string(padded) + " tokens are padding (" + share +
                 "%), " + std::to_string(all.cropped) + " are cropped; " + std::to_string(all.split_documents) + " documents are longer than a sequence; no packing needs fewer than " +
                 std::to_string(fewest) + " sequences");
  }

  /// Packs windows of an input without end until it is known which rows stand in the first `end` places.
  void extend(const Call& call, std::int64_t end) {
    const std::lock_guard lock(mutex_);
    while (index_.settled_count() < end) {
      call.check_stop();
      add_window(call);
    }
  }

  std::int64_t length_at(std::int64_t place) {
    const std::lock_guard lock(mutex_);
    return index_.sections()[section_of(index_.sections(), place)].sequence_length;
  }

  /// Adds the pieces of a place's row `number` to those of a batch, as its row `row`. The longest documents are packed first, so a seeded permutation
  /// mixes the rows of a window.
  void place(const Call& call, std::int64_t place, std::int64_t number, std::int64_t row, std::vector<Placed>& placed) {
    WindowIndex::Row found;
    WindowIndex::Window window;
    {
      const std::lock_guard lock(mutex_);
      const auto at = index_.row(place, number);
      if (!at) return;
      found = *at;
      window = index_.window(found.window);
    }
    const Permutation permutation(philox_u64(seed_, static_cast<std::uint64_t>(found.window)), static_cast<std::uint64_t>(found.row_count));
    const auto packing = recent_.get(found.window, [&] { return pack(call, window); });
    std::int64_t column = 0;
    for (const Piece& piece : packing->sequence(static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(found.number))))) {
      placed.push_back({window.first_document + piece.document, row, column, piece});
      column += piece.length;
    }
  }

  /// Reads the documents of all pieces at once and copies the pieces.
  void fill(const Call& call, const std::vector<Placed>& placed, std::int64_t n, std::int64_t length, BatchBuilder& out) const {
    PaddedRows rows(n, length, pad_id_);
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

  const std::int64_t sequence_length_;
  const StageRule stages_;
  const std::int64_t window_documents_;
  const LongDocument long_document_;
  const bool separator_is_given_, pad_is_given_;
  std::uint32_t separator_, pad_id_;  ///< written before the first read
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  RecentParts<Packing> recent_{kRecentWindows};
  std::mutex mutex_;  ///< guards index_; that of a finite input never changes and is counted without it
  WindowIndex index_;
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::BestFit)
