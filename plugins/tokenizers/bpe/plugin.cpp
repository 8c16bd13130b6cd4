// tokenizers/bpe: text to token ids. The algorithm is in ../common: bpe_encoder where the file is plain byte-level BPE, else pipeline/tokenizer over models/general_bpe.

#include "tokenizers/common/encode_node.hpp"

namespace {

class BpeNode : public flowrun::tokenizers::EncodeNode {
 public:
  static flowrun::Descriptor descriptor() { return describe("tokenizers/bpe", "Encodes documents by a BPE tokenizer: byte-level with any known pre-tokenizer at full speed, every other form as well.", "Sennrich et al. 2016, arXiv:1508.07909"); }
  explicit BpeNode(const flowrun::Params& params) : EncodeNode(params, "BPE") {}
};

}  // namespace

FLOWRUN_PLUGIN(BpeNode)
