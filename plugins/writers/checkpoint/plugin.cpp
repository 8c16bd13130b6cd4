// writers/checkpoint: says when a training run is saved. What a checkpoint holds and how it is committed is the region's business, which must
// find it again: framework/train/checkpoint.hpp.

#include <cstdint>

#include <flowrun/native.hpp>

namespace flowrun::writers {
namespace {

using namespace native;

class Checkpoint : public RegionWriter {
 public:
  static Descriptor descriptor() {
    return Descriptor("writers/checkpoint", "0.1.0")
        .summary("Saves weights, optimizer state and tokenizer as a folder that Hugging Face loads and from which a stopped run goes on; at the end always.")
        .input(Port("in", "step"))
        .parameter(integer("every_steps").unit("steps").range(0, 1e15).defaults(0).about("Steps between two checkpoints; 0: only where the run stops or ends."))
        .parameter(integer("keep").unit("checkpoints").range(1, 1e9).defaults(3).about("How many of the last checkpoints stay."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Safetensors; transformers 5, PreTrainedModel.from_pretrained")
        .example("[node.checkpoint]\nplugin = \"writers/checkpoint\"\nin     = \"train\"\nevery_steps = 100\n");
  }

  explicit Checkpoint(const Params& params) : every_steps_(params.integer("every_steps")), keep_(params.integer("keep")) {}

  Schedule schedule() const override { return {every_steps_, /*at_start=*/false, /*at_end=*/true}; }
  void save(const Saving& saving) override { saving.save_checkpoint(keep_); }

 private:
  std::int64_t every_steps_, keep_;
};

}  // namespace
}  // namespace flowrun::writers

FLOWRUN_NATIVE_PLUGIN(flowrun::writers::Checkpoint)
