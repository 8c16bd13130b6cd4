// tokenizers/wordpiece: text to token ids. The algorithm is in ../common: pipeline/tokenizer over models/word_piece.

#include "tokenizers/common/encode_node.hpp"

namespace {

class WordPieceNode : public flowrun::tokenizers::EncodeNode {
 public:
  static flowrun::Descriptor descriptor() { return describe("tokenizers/wordpiece", "Encodes documents by a WordPiece tokenizer.", "Schuster and Nakajima 2012; Song et al. 2021, arXiv:2012.15524"); }
  explicit WordPieceNode(const flowrun::Params& params) : EncodeNode(params, "WordPiece") {}
};

}  // namespace

FLOWRUN_PLUGIN(WordPieceNode)
