#pragma once

// tiktoken's BPE: a pre-token that is a token is that token; otherwise bytes are joined by rank, as ranked_merges.hpp says. Checked against tiktoken
// 0.14.0 (testdata) and against the definition on random ranks.

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizers/common/bpe_model.hpp"

namespace flowrun::tokenizers {

/// Rank files as merges of pairs.
struct TiktokenBpe {
  bpe::BpeModel model;  ///< ids are ranks; without special tokens, which are not in the file
  /// Tokens, ascending, that no merge makes. They occur only as a whole pre-token: where this is not empty, whoever encodes with bpe::Bpe must look
  /// them up first (`ignore_merges`).
  std::vector<std::uint32_t> whole_only;
};

/// Converts `tokens` (by rank, empty where there is none) to merges that give tiktoken's ids.
///
/// Time: as find_ranked_merges. Throws kUnsupported where a byte is not a token (tiktoken gives up on text that holds it), else as that.
TiktokenBpe tiktoken_to_bpe(const std::vector<std::string>& tokens);

}  // namespace flowrun::tokenizers
