// packers/concat: documents one after another, <|endoftext|> after each, cut into rows of equal length, or of one length for each stage.

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
#include "packers/common/stages.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

/// A document and where its first token stands in the stream.
struct Start {
  std::int64_t document, offset;
};

class Concat : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("packers/concat", "0.1.0")
        .summary("Packs documents into rows of equal length: one after another, <|endoftext|> after each, cut wherever a row is full. Stages of a mixer may have a length of their own.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").required().min_value(2).max_value(1 << 24).about(
            "The tokens of a row; a causal model is trained on one target fewer. Where the mixer's stages say a `sequence_length`, which must divide this one, rows have that "
            "many and share a place of so many tokens: every step has as many. A stage begins a new place; what is left of the one before is dropped, and counted."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer's eos_token, else of its sep_token, which tokens bring along where it is not 0."))
        .parameter(integer("shuffle_window").unit("sequences").range(0, 1 << 20).defaults(0).about(
            "Sequences that change places among themselves by a seeded permutation, so that a batch holds many documents; those of one stage only. 0 keeps their order."))
        .parameter(follow_stages_parameter())
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("Brown et al. 2020, arXiv:2005.14165, appendix B: documents share a sequence, divided by an end-of-text token alone.")
        .example("[node.sequences]\nplugin = \"packers/concat\"\nin     = \"mix\"\nsequence_length = 256\n");
  }

  explicit Concat(const Params& params)
      : sequence_length_(params.integer("sequence_length")),
        stages_{sequence_length_, params.boolean("follow_stages")},
        separator_(static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0))),
        separator_is_given_(params.has("endoftext_id")),
        shuffle_window_(std::max<std::int64_t>(1, params.integer("shuffle_window"))),
        index_(sequence_length_) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override { seed_ = open.seed(); }

  /// Without an end there is nothing to count: the index is then empty and grows in memory as rows are asked for.
  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    const ConcatenatedDataset documents(inputs);
    PlaceIndex index(sequence_length_);
    for (std::int64_t first = 0; first < documents.count(); first += OffsetIndex::kSegmentDocuments) {
      call.check_stop();
      index.append(read_sizes(call, documents, first, std::min(OffsetIndex::kSegmentDocuments, documents.count() - first), stages_));
    }
    index.save(staging);
    if (documents.count() >= 0) report(call, index);
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!separator_is_given_) separator_ = endoftext_of(call, documents_);
    index_ = PlaceIndex::load(folder, sequence_length_);
    const std::int64_t expected = std::max<std::int64_t>(0, documents_.count());
    if (index_.offsets().document_count() != expected)
      throw Error(Code::kCorruptData, folder + " has the index of " + std::to_string(index_.offsets().document_count()) + " documents, expected " + std::to_string(expected));
  }

  std::int64_t count() override { return documents_.count() < 0 ? -1 : index_.place_count(); }

  /// Positions are places. A read ends early where the length of rows changes.
  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const std::int64_t places = count() < 0 ? std::numeric_limits<std::int64_t>::max() / sequence_length_ : count();
    if (first < 0 || n < 0 || first > places - n)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " of " + std::to_string(places));
    if (documents_.count() < 0 && n > 0) extend(call, first + n - 1);
    const Rows rows = rows_of(first, n);
    std::vector<std::int64_t> tokens;
    tokens.reserve(rows.begins.size() * static_cast<std::size_t>(rows.length));
    for (std::size_t i = 0, run; i < rows.begins.size(); i += run) {
      for (run = 1; i + run < rows.begins.size() && rows.begins[i + run] == rows.begins[i] + static_cast<std::int64_t>(run) * rows.length;) ++run;
      append(call, rows.begins[i], static_cast<std::int64_t>(run) * rows.length, tokens, out);
    }
    out.add("input_ids", std::move(tokens), static_cast<std::int64_t>(rows.begins.size()), rows.length);
  }

 private:
  using Offsets = std::shared_ptr<const std::vector<std::int64_t>>;  ///< of a segment's documents

  /// Rows of one length, by the tokens of the stream that they begin at.
  struct Rows {
    std::int64_t length;
    std::vector<std::int64_t> begins;
  };

  void report(const Call& call, const PlaceIndex& index) const {
    const std::string documents = std::to_string(index.offsets().document_count()) + " documents of " + std::to_string(index.offsets().token_count()) + " tokens with their ends make " +
                                  std::to_string(index.place_count());
    const auto sections = index.sections();
    if (sections.empty() || (sections.size() == 1 && sections[0].sequence_length == sequence_length_)) {
      call.log(index.place_count() > 0 ? FLOWRUN_LOG_INFO : FLOWRUN_LOG_WARNING, documents + " sequences of " + std::to_string(sequence_length_) + "; " +
                                                                                     std::to_string(sections.empty() ? 0 : index.dropped(0)) + " tokens at the end are dropped");
      return;
    }
    std::string stages;
    std::int64_t dropped = 0;
    bool has_empty = false;
    for (std::size_t s = 0; s < sections.size(); ++s) {
      stages += (s == 0 ? "" : ", ") + ("stage " + std::to_string(sections[s].stage)) + " " + std::to_string(index.row_count(s)) + " of " + std::to_string(sections[s].sequence_length);
      dropped += index.dropped(s);
      has_empty = has_empty || index.row_count(s) == 0;
    }
    call.log(has_empty ? FLOWRUN_LOG_WARNING : FLOWRUN_LOG_INFO,
             documents + " places of " + std::to_string(sequence_length_) + "; sequences: " + stages + "; " + std::to_string(dropped) + " tokens at the ends of stages are dropped");
  }

  /// Returns the rows of places [first, first + n), as far as they have one length.
  Rows rows_of(std::int64_t first, std::int64_t n) {
    const std::lock_guard lock(mutex_);
    Rows rows{sequence_length_, {}};
    for (std::int64_t place = first; place < first + n; ++place) {
      const std::size_t number = section_of(index_.sections(), place);
      const Section& section = index_.sections()[number];
      if (place > first && section.sequence_length != rows.length) break;
      rows.length = section.sequence_length;
      const std::int64_t in_place = index_.rows_in_place(number);
      for (std::int64_t i = 0; i < in_place; ++i) rows.begins.push_back(section.begin + rows.length * shuffled(number, (place - section.place) * in_place + i));
    }
    return rows;
  }

  /// Returns the row of a section that stands at its `position`: each window is permuted by a key of its own, the last one may be short.
  std::int64_t shuffled(std::size_t section, std::int64_t position) const {
    if (shuffle_window_ == 1) return position;
    const std::int64_t window = position / shuffle_window_, begin = window * shuffle_window_;
    const std::int64_t size = std::min(shuffle_window_, index_.row_count(section) - begin);
    const Permutation permutation(philox_u64(seed_, static_cast<std::uint64_t>(window), section), static_cast<std::uint64_t>(size));
    return begin + static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(position - begin)));
  }

  /// Appends the tokens [begin, begin + size) of the stream, and names their documents.
  void append(const Call& call, std::int64_t begin, std::int64_t size, std::vector<std::int64_t>& tokens, BatchBuilder& out) {
    TokenWindow window(begin, size, separator_);
    const Start from = find(call, begin);
    fill(call, from, find(call, begin + size - 1).document + 1 - from.document, window, out);
    const auto taken = window.take();
    tokens.insert(tokens.end(), taken.begin(), taken.end());
  }

  void fill(const Call& call, const Start& from, std::int64_t documents, TokenWindow& window, BatchBuilder& out) const {
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
  Start find(const Call& call, std::int64_t offset) {
    std::int64_t segment;
    {
      const std::lock_guard lock(mutex_);
      segment = index_.offsets().segment_of(offset);
    }
    const Offsets offsets = offsets_of(call, segment);
    const auto it = std::upper_bound(offsets->begin(), offsets->end(), offset) - 1;
    return {segment * OffsetIndex::kSegmentDocuments + (it - offsets->begin()), *it};
  }

  /// Returns whether the index holds all that decides which row stands where in `place`: its whole window, or the end of its section.
  bool is_settled(std::int64_t place) const {
    if (place >= index_.place_count()) return false;
    const std::size_t number = section_of(index_.sections(), place);
    if (number + 1 < index_.sections().size()) return true;
    const std::int64_t last = (place + 1 - index_.sections()[number].place) * index_.rows_in_place(number) - 1;
    return index_.row_count(number) >= (last / shuffle_window_ + 1) * shuffle_window_;
  }

  /// Grows the index of an input without end, by whole segments, as far as `place` needs it.
  void extend(const Call& call, std::int64_t place) {
    const std::lock_guard lock(mutex_);
    while (!is_settled(place)) {
      call.check_stop();
      const std::int64_t segment = index_.offsets().segment_count(), offset = index_.offsets().token_count();
      const DocumentSizes sizes = read_sizes(call, documents_, segment * OffsetIndex::kSegmentDocuments, OffsetIndex::kSegmentDocuments, stages_);
      index_.append(sizes);
      recent_.get(segment, [&] { return add_up(offset, sizes.lengths); });
    }
  }

  Offsets offsets_of(const Call& call, std::int64_t segment) {
    std::int64_t offset, documents;
    {
      const std::lock_guard lock(mutex_);
      offset = index_.offsets().offset_of(segment);
      documents = std::min(OffsetIndex::kSegmentDocuments, index_.offsets().document_count() - segment * OffsetIndex::kSegmentDocuments);
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
  const StageRule stages_;
  std::uint32_t separator_;  ///< written before the first read
  const bool separator_is_given_;
  const std::int64_t shuffle_window_;  ///< 1: in order
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  RecentParts<std::vector<std::int64_t>> recent_{kRecentSegments};
  std::mutex mutex_;  ///< guards index_; that of a finite input never changes and is counted without it
  PlaceIndex index_;
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::Concat)
