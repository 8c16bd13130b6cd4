// tokenizers/wordlevel: text to token ids. The algorithm is in ../common: pipeline/tokenizer over models/word_level.

#include "tokenizers/common/encode_node.hpp"

namespace {

class WordLevelNode : public flowrun::tokenizers::EncodeNode {
 public:
  static flowrun::Descriptor descriptor() { return describe("tokenizers/wordlevel", "Encodes documents by a vocabulary of whole words.", "github.com/huggingface/tokenizers, models/wordlevel"); }
  explicit WordLevelNode(const flowrun::Params& params) : EncodeNode(params, "WordLevel") {}
};

}  // namespace

FLOWRUN_PLUGIN(WordLevelNode)
