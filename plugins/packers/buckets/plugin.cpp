// packers/buckets: pieces of documents, each as long as a power of two; batches of one length, all with the same number of tokens.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "buckets.hpp"
#include "packers/common/numbers_file.hpp"
#include "packers/common/stages.hpp"
#include "packers/common/token_input.hpp"

namespace flowrun::packers {
namespace {

constexpr const char* kId = "packers/buckets";
constexpr const char* kIndexFile = "/buckets.bin";
constexpr std::int64_t kSegmentDocuments = 4096;  ///< between two places that the index keeps, as in packers/concat

/// The index: for every kSegmentDocuments documents how many sequences of each bucket are before them, and the bucket of each batch.
/// Cost: 8 bytes for each bucket and segment, and 8 for each batch.
struct Index {
  std::int64_t document_count = 0;
  std::vector<std::int64_t> starts;  ///< segment-major, [segments + 1, buckets]
  std::vector<std::int64_t> batches; ///< 256 x its number in its bucket + the bucket

  std::int64_t segment_count(std::size_t buckets) const noexcept { return static_cast<std::int64_t>(starts.size() / buckets) - 1; }

  std::vector<std::int64_t> numbers() const {
    std::vector<std::int64_t> all{document_count, static_cast<std::int64_t>(starts.size())};
    all.insert(all.end(), starts.begin(), starts.end());
    all.insert(all.end(), batches.begin(), batches.end());
    return all;
  }
};

class Buckets : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor(kId, "0.1.0")
        .summary("Packs sequences of power-of-two lengths, each from one document: a document, with <|endoftext|> after it, is cut by the binary digits of its length. "
                 "A batch has sequences of one length, the more the shorter they are; a curriculum orders the batches.")
        .input(Port("in", "tokens", Edge::kDataset).needs_end())
        .output({"out", "batch"})
        .parameter(integer("sequence_length").unit("tokens").required().min_value(2).max_value(1 << 24).about("The longest length, a power of two."))
        .parameter(integer("min_length").unit("tokens").range(2, 1 << 24).defaults(256).about("The shortest length, a power of two; what is left of a document below it is dropped."))
        .parameter(integer("batch_size").unit("sequences").range(1, 1 << 20).required().about(
            "That of the objective: a batch has room for so many sequences of sequence_length, or twice as many of half of it, and so on."))
        .parameter(string("curriculum").choices({"uniform", "grow_linear", "grow_p2", "grow_p100", "shrink_p100"}).defaults("grow_p2").about(
            "How the odds of a batch fall from each length to the next longer one: not at all, linearly, by 2, by 100, or how they rise by 100."))
        .parameter(integer("cycles").range(1, 1 << 20).defaults(8).about("How often the curriculum begins anew, each time with as large a part of every length."))
        .parameter(integer("shuffle_window").unit("sequences").range(0, 1 << 20).defaults(4096).about(
            "Sequences of one length that change places among themselves by a seeded permutation; 0 keeps their order."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer's eos_token, else of its sep_token, which tokens bring along where it is not 0."))
        .less_or_equal("min_length", "sequence_length")
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("Pouransari et al. 2024, Dataset Decomposition, arXiv:2405.13226. Differs: a sequence of a causal model has one target fewer than tokens; a batch is drawn by its "
                "bucket's odds among the batches that are left.")
        .example("[node.sequences]\nplugin = \"packers/buckets\"\nin     = \"mix\"\nsequence_length = 2048\nbatch_size = 8\n");
  }

  explicit Buckets(const Params& params)
      : sequence_length_(power_of_two(params, "sequence_length")),
        batch_size_(params.integer("batch_size")),
        cycles_(params.integer("cycles")),
        shuffle_window_(params.integer("shuffle_window")),
        curriculum_(params.string("curriculum")),
        decomposition_(power_of_two(params, "min_length"), sequence_length_),
        separator_is_given_(params.has("endoftext_id")),
        separator_(static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0))) {}

  /// The output is tensors, which have no schema.
  void open(Open& open) override {
    seed_ = open.seed();
    refuse_stage_lengths(open.input(0), kId, "its own 'curriculum' orders the lengths");
  }

  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    const ConcatenatedDataset documents(inputs);
    if (documents.count() < 0)
      throw Error(Code::kInvalidArgument, "the input has no end, expected documents that can be counted: a curriculum divides them; give the mixer 'epochs'");
    Index index;
    index.document_count = documents.count();
    std::int64_t tokens = 0, dropped = 0;
    count_sequences(call, documents, index, tokens, dropped);
    plan_batches(call, index);
    save_numbers(staging + kIndexFile, kId, index.numbers());
    report(call, index, tokens, dropped);
  }

  void attach(const Call& call, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    if (!separator_is_given_) separator_ = endoftext_of(call, documents_);
    const std::string path = folder + kIndexFile;
    const auto numbers = load_numbers(path, kId);
    const std::int64_t expected = documents_.count(), found = numbers.empty() ? -1 : numbers[0];
    const auto starts = static_cast<std::size_t>((expected + kSegmentDocuments - 1) / kSegmentDocuments + 1) * decomposition_.bucket_count();
    if (found != expected || numbers.size() < 2 + starts || numbers[1] != static_cast<std::int64_t>(starts))
      throw Error(Code::kCorruptData, path + " is of " + std::to_string(found) + " documents, expected " + std::to_string(expected));
    index_.document_count = found;
    index_.starts.assign(numbers.begin() + 2, numbers.begin() + 2 + static_cast<std::ptrdiff_t>(starts));
    index_.batches.assign(numbers.begin() + 2 + static_cast<std::ptrdiff_t>(starts), numbers.end());
  }

  /// Positions are places for a sequence of `sequence_length`.
  std::int64_t count() override { return static_cast<std::int64_t>(index_.batches.size()) * batch_size_; }

  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    if (first < 0 || n < 0 || first > count() - n)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " of " + std::to_string(count()));
    if (n > 0 && first / batch_size_ != (first + n - 1) / batch_size_)
      throw Error(Code::kInvalidArgument, "sequences " + std::to_string(first) + " to " + std::to_string(first + n) + " lie in two batches of " + std::to_string(batch_size_) +
                                              ", which may have different lengths: 'batch_size' of the packer must be that of the objective");
    if (n == 0) return out.add("input_ids", {}, 0, sequence_length_);
    const std::int64_t batch = index_.batches[static_cast<std::size_t>(first / batch_size_)];
    const auto bucket = static_cast<std::size_t>(batch & 0xff);
    const std::int64_t in_place = sequence_length_ / decomposition_.length_of(bucket);
    const std::int64_t from = ((batch >> 8) * batch_size_ + first % batch_size_) * in_place;
    std::vector<Place> places;
    for (std::int64_t i = 0; i < n * in_place; ++i) places.push_back(find(call, bucket, shuffled(bucket, from + i)));
    fill(call, decomposition_.length_of(bucket), places, out);
  }

 private:
  /// Where a sequence begins.
  struct Place {
    std::int64_t document, offset;
  };

  static std::int64_t power_of_two(const Params& params, const char* name) {
    const std::int64_t value = params.integer(name);
    if (!std::has_single_bit(static_cast<std::uint64_t>(value)))
      throw Error(Code::kInvalidArgument, "'" + std::string(name) + "' is " + std::to_string(value) + ", expected a power of two, such as " + std::to_string(std::bit_floor(static_cast<std::uint64_t>(value))));
    return value;
  }

  void count_sequences(const Call& call, const ConcatenatedDataset& documents, Index& index, std::int64_t& tokens, std::int64_t& dropped) const {
    std::vector<std::int64_t> counts(decomposition_.bucket_count(), 0);
    index.starts = counts;
    for (std::int64_t first = 0; first < documents.count(); first += kSegmentDocuments) {
      call.check_stop();
      for (const std::uint32_t length : read_lengths(call, documents, first, std::min(kSegmentDocuments, documents.count() - first))) {
        const std::int64_t with_end = std::int64_t{length} + 1;
        for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += decomposition_.piece_count(with_end, bucket);
        tokens += with_end;
        dropped += decomposition_.dropped(with_end);
      }
      index.starts.insert(index.starts.end(), counts.begin(), counts.end());
    }
  }

  /// Returns the sequences of a whole batch of `bucket`.
  std::int64_t batch_sequences(std::size_t bucket) const noexcept { return batch_size_ * (sequence_length_ / decomposition_.length_of(bucket)); }
  std::int64_t sequence_count(const Index& index, std::size_t bucket) const noexcept { return index.starts[index.starts.size() - decomposition_.bucket_count() + bucket]; }

  void plan_batches(const Call& call, Index& index) const {
    std::vector<std::int64_t> counts, next(decomposition_.bucket_count(), 0);
    for (std::size_t bucket = 0; bucket < next.size(); ++bucket) counts.push_back(sequence_count(index, bucket) / batch_sequences(bucket));
    for (const std::uint8_t bucket : schedule(counts, curriculum_odds(curriculum_, next.size()), cycles_, seed_, [&] { call.check_stop(); }))
      index.batches.push_back(256 * next[bucket]++ + bucket);
  }

  void report(const Call& call, const Index& index, std::int64_t tokens, std::int64_t dropped) const {
    std::string text;
    std::int64_t left_over = 0;
    for (std::size_t bucket = 0; bucket < decomposition_.bucket_count(); ++bucket) {
      const std::int64_t count = sequence_count(index, bucket), length = decomposition_.length_of(bucket);
      text += (bucket == 0 ? "" : ", ") + std::to_string(count) + " of " + std::to_string(length);
      left_over += count % batch_sequences(bucket) * length;
    }
    call.log(index.batches.empty() ? FLOWRUN_LOG_WARNING : FLOWRUN_LOG_INFO,
             std::to_string(index.document_count) + " documents of " + std::to_string(tokens) + " tokens with their ends make sequences: " + text + "; " + std::to_string(dropped) +
                 " tokens are cropped as shorter than " + std::to_string(decomposition_.length_of(0)) + "; " + std::to_string(index.batches.size()) + " batches of " +
                 std::to_string(batch_size_ * sequence_length_) + " tokens; " + std::to_string(left_over) + " tokens that fill no batch are dropped");
  }

  /// Returns the sequence of a bucket that stands at `position` of it: each window is permuted by a key of its own, the last one may be short.
  std::int64_t shuffled(std::size_t bucket, std::int64_t position) const {
    if (shuffle_window_ <= 1) return position;
    const std::int64_t window = position / shuffle_window_, begin = window * shuffle_window_;
    const Permutation permutation(philox_u64(seed_, static_cast<std::uint64_t>(window), bucket + 1), static_cast<std::uint64_t>(std::min(shuffle_window_, sequence_count(index_, bucket) - begin)));
    return begin + static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(position - begin)));
  }

  /// Finds a sequence of a bucket: its segment by bisection, its document by counting through the segment's lengths.
  Place find(const Call& call, std::size_t bucket, std::int64_t sequence) {
    const std::size_t buckets = decomposition_.bucket_count();
    std::int64_t low = 0, high = index_.segment_count(buckets) - 1;
    while (low < high) {
      const std::int64_t middle = (low + high + 1) / 2;
      if (index_.starts[static_cast<std::size_t>(middle) * buckets + bucket] <= sequence) low = middle;
      else high = middle - 1;
    }
    const std::int64_t first = low * kSegmentDocuments;
    const auto lengths = recent_.get(low, [&] { return read_lengths(call, documents_, first, std::min(kSegmentDocuments, documents_.count() - first)); });
    std::int64_t number = sequence - index_.starts[static_cast<std::size_t>(low) * buckets + bucket];
    for (std::size_t i = 0; i < lengths->size(); ++i) {
      const std::int64_t tokens = std::int64_t{(*lengths)[i]} + 1, count = decomposition_.piece_count(tokens, bucket);
      if (number < count) return {first + static_cast<std::int64_t>(i), decomposition_.piece_offset(tokens, bucket, number)};
      number -= count;
    }
    throw Error(Code::kCorruptData, "the index of " + std::string(kId) + " has more sequences than its documents give");
  }

  void fill(const Call& call, std::int64_t length, const std::vector<Place>& places, BatchBuilder& out) const {
    std::vector<std::int64_t> documents;
    for (const Place& place : places) documents.push_back(place.document);
    std::sort(documents.begin(), documents.end());
    documents.erase(std::unique(documents.begin(), documents.end()), documents.end());
    const OwnedArray batch = documents_.read(call, documents);
    const BatchView view(batch.get(), documents_.schema());
    const StringColumn ids = view.strings("id");
    const ListColumn input_ids = view.lists("input_ids");
    std::vector<std::int64_t> tokens;
    tokens.reserve(places.size() * static_cast<std::size_t>(length));
    for (const Place& place : places) {
      const std::int64_t at = std::lower_bound(documents.begin(), documents.end(), place.document) - documents.begin();
      const auto document = input_ids[at].subspan(static_cast<std::size_t>(place.offset));
      const auto kept = std::min(document.size(), static_cast<std::size_t>(length));
      tokens.insert(tokens.end(), document.begin(), document.begin() + static_cast<std::ptrdiff_t>(kept));
      if (kept < static_cast<std::size_t>(length)) tokens.push_back(separator_);  // only the end of a document can be missing
      out.add_id(std::string(ids[at]));
    }
    out.add("input_ids", std::move(tokens), static_cast<std::int64_t>(places.size()), length);
  }

  static constexpr std::size_t kRecentSegments = 64;  ///< a megabyte: the sequences of a batch come from a whole shuffle window

  const std::int64_t sequence_length_, batch_size_, cycles_, shuffle_window_;
  const std::string curriculum_;
  const Decomposition decomposition_;
  const bool separator_is_given_;
  std::uint32_t separator_;  ///< written before the first read
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  Index index_;
  RecentParts<std::vector<std::uint32_t>> recent_{kRecentSegments};
};

}  // namespace
}  // namespace flowrun::packers

FLOWRUN_PLUGIN(flowrun::packers::Buckets)
