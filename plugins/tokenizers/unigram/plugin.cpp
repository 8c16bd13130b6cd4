// tokenizers/unigram: text to token ids. The algorithm is in ../common: pipeline/tokenizer over unigram/unigram.

#include "tokenizers/common/encode_node.hpp"

namespace {

class UnigramNode : public flowrun::tokenizers::EncodeNode {
 public:
  static flowrun::Descriptor descriptor() { return describe("tokenizers/unigram", "Encodes documents by a Unigram tokenizer.", "Kudo 2018, arXiv:1804.10959"); }
  explicit UnigramNode(const flowrun::Params& params) : EncodeNode(params, "Unigram") {}
};

}  // namespace

FLOWRUN_PLUGIN(UnigramNode)
