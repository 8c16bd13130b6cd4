// dedupers/minhash_lsh: of documents that resemble each other, keeps the first.

#include <flowrun/draft/selection.h>
#include <flowrun/node.hpp>

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "id_list.hpp"
#include "minhash_lsh.hpp"
#include "sketcher.hpp"

namespace flowrun::dedupers {
namespace {

constexpr const char* kReason = "near_duplicate";

SketchOptions options_of(const Params& params) {
  const auto size = [&](const char* name) { return static_cast<std::size_t>(params.integer(name)); };
  return {params.string("mode") == "fast", size("n_grams"), size("buckets"), size("hashes_per_bucket"), static_cast<std::uint32_t>(params.integer("hash_seed")),
          static_cast<int>(params.integer("hash_bits"))};
}

class MinhashLshNode : public Blocking, public Stateful {
 public:
  static Descriptor descriptor() {
    return Descriptor("dedupers/minhash_lsh", "0.1.0")
        .summary("Drops documents that resemble an earlier one: clusters of MinHash signatures with a bucket in common, of which the first stays.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(string("mode").choices({"equal", "fast"}).defaults("equal").about(
            "\"equal\": datatrove's text normalisation, English words, hashes, signatures and clusters; \"fast\": the same method on plain words with 32-bit hashes, "
            "a few times as fast."))
        .parameter(integer("n_grams").defaults(5).range(1, 64).unit("words").about("Words in a shingle. A text of fewer words is like no other."))
        .parameter(integer("buckets").defaults(14).range(1, 1024).about("Runs that a signature is cut into; documents with any of them in common are in one cluster."))
        .parameter(integer("hashes_per_bucket").defaults(8).range(1, 256).about(
            "Hashes in each: texts of Jaccard similarity s have a bucket in common with probability 1 - (1 - s^hashes_per_bucket)^buckets."))
        .parameter(integer("hash_seed").defaults(1).range(0, 4294967295.0).about("What the permutations are drawn from; datatrove's `seed`."))
        .parameter(integer("hash_bits").defaults(64).range(32, 64).about("Bits of a hash with mode = \"equal\", 64 or 32: datatrove's `precision`. Mode \"fast\" has 32."))
        .determinism("pure")
        .declares_state()
        .threads("Signatures are computed on many threads at once; documents count in the order of 'in', so the source named first is preferred.")
        .source("Broder 1997, On the resemblance and containment of documents; Indyk and Motwani 1998. mode = \"equal\" is checked against datatrove 0.10.1 "
                "(pipeline/dedup/minhash.py): signatures and clusters are the same. Differs: of a cluster the first document stays, datatrove keeps one that its "
                "union-find ends with.")
        .example("[node.distinct]\nplugin = \"dedupers/minhash_lsh\"\nin     = [\"books\", \"web\"]\n");
  }

  explicit MinhashLshNode(const Params& params) : options_(options_of(params)) {
    if (options_.hash_bits != 32 && options_.hash_bits != 64)
      throw Error(Code::kInvalidArgument, "'hash_bits' is " + std::to_string(options_.hash_bits) + ", expected 32 or 64");
    sketcher_ = Sketcher::make(options_);
  }

  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
    folder_ = open.staging();
    const std::int64_t bound = open.memory_bytes();
    index_.emplace(bound > 0 ? static_cast<std::size_t>(bound) : std::size_t{256} << 20, folder_);
    ids_.emplace(folder_);
  }

  /// Gives each row its keys, as bytes; none where it has no signature.
  OwnedArray sketch(const Call& call, const ArrowArray& in) const {
    const StringColumn text = BatchView(in, schema_).strings("text");
    Sketcher::Scratch scratch;
    std::vector<BucketKey> keys(options_.buckets);
    StringBuilder sketches;
    for (std::int64_t row = 0; row < in.length; ++row) {
      call.check_stop();
      const bool any = sketcher_->keys(text[row], scratch, keys);
      sketches.append(any ? std::string_view(reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(BucketKey)) : std::string_view());
    }
    return sketches.finish();
  }

  void consume(const Call&, std::size_t, const ArrowArray& in) override {
    const StringColumn id = BatchView(in, schema_).strings("id"), sketches(in, *in.children[in.n_children - 1]);
    std::vector<BucketKey> keys(options_.buckets);
    for (std::int64_t row = 0; row < in.length; ++row) {
      const std::string_view bytes = sketches[row];
      bytes.copy(reinterpret_cast<char*>(keys.data()), bytes.size());
      index_->add(std::span(keys.data(), bytes.size() / sizeof(BucketKey)));
      ids_->add(id[row]);
    }
  }

  void finish(const Call& call) override {
    call.log(FLOWRUN_LOG_INFO, "looking for clusters among " + std::to_string(index_->documents()) + " documents; " + std::to_string(index_->runs()) + " sorted runs on disk");
    ids_->flush();
    index_->finish([&] { call.check_stop(); });
    dropped_.emplace(index_->dropped());
  }

  bool next_drop(flowrun_selection_drop& out) {
    if (!dropped_->next()) return false;
    out.row = static_cast<std::int64_t>(dropped_->document);
    out.reason = kReason;
    out.value = out.threshold = std::numeric_limits<double>::quiet_NaN();
    if (kept_ != dropped_->first) {
      kept_ = dropped_->first;
      kept_id_ = ids_->at(dropped_->first);
    }
    out.kept = kept_id_.data();
    out.kept_length = kept_id_.size();
    return true;
  }

  void snapshot(const Call&, const std::string& folder) override {
    index_->save(folder + "/buckets");
    ids_->save(folder + "/ids");
  }
  void restore(const Call&, const std::string& folder) override {
    index_->load(folder + "/buckets");
    ids_->load(folder + "/ids");
  }
  std::int64_t memory_bytes() override { return static_cast<std::int64_t>(index_->memory_bytes()); }

  static const void* extension(std::string_view id) { return id == FLOWRUN_SELECTION_DRAFT_1 ? &kSelection : nullptr; }

 private:
  static constexpr flowrun_selection kSelection = {
      sizeof(flowrun_selection),
      [](void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* out) {
        return guarded(call, [&] { static_cast<const MinhashLshNode*>(self)->sketch(Call(call), *in).move_to(out); });
      },
      [](void* self, const flowrun_call* call, flowrun_selection_drop* out, std::int32_t* end) {
        return guarded(call, [&] { *end = static_cast<MinhashLshNode*>(self)->next_drop(*out) ? 0 : 1; });
      }};

  SketchOptions options_;
  std::unique_ptr<const Sketcher> sketcher_;
  Field schema_;
  std::string folder_;
  std::optional<MinhashLsh> index_;  // made by `open`, which knows the bound and the folder, as is ids_
  std::optional<IdList> ids_;
  std::optional<Clusters::Cursor> dropped_;
  std::optional<std::uint64_t> kept_;  // whose id is kept_id_
  std::string kept_id_;
};

}  // namespace
}  // namespace flowrun::dedupers

FLOWRUN_PLUGIN(flowrun::dedupers::MinhashLshNode)
