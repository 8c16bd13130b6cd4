#pragma once

// From counts to the figures of a report, as JSON.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tally.hpp"

namespace flowrun::tokenizers {

/// Keeps keys in the order in which a reader wants them.
using ReportJson = nlohmann::ordered_json;

/// What a report calls the tokenizer of its artifact port.
inline constexpr const char* kArtifactName = "tokenizer";

/// One tokenizer of a report. The first is the one reported on, the others stand beside it.
struct ReportedTokenizer {
  std::string name;
  std::string file;  ///< as the graph names it; "" for an artifact
  std::string model_type;
  const TokenizerTally* tally = nullptr;
};

/// Returns the report. All counts are exact; ratios are one division of two of them, null where the divisor is 0. `longest_count`: how many of the longest
/// tokens are listed.
///
/// Sources: bytes per token is what is usually called compression; fertility and the share of continued words are those of Rust et al. 2021
/// (arXiv:2012.15613), but words are cut at white space; Rényi efficiency of Zouhar et al. 2023 (arXiv:2306.16842) is the Rényi entropy of order 2.5 of the
/// tokens' frequencies over log2 of the vocabulary's size.
ReportJson make_report(const std::map<std::string, TextCounts>& texts, const std::vector<ReportedTokenizer>& tokenizers, std::size_t longest_count);

/// Returns the same as tables, for people: Markdown whose columns are aligned, so that it reads as plain text as well.
std::string markdown_of(const ReportJson& report);

/// Returns what tables call tokenizers: the name of the file without its suffix, or for a tokenizer.json that of the nearest folder which is not called "tokenizer" or
/// "model". Files whose names would be equal, or that of the first tokenizer, keep their paths.
std::vector<std::string> short_names(const std::vector<std::string>& files);

// What the figures are computed by; for tests.

/// Returns the shortest length that at least `percent` of all documents do not exceed (nearest rank); 0 without documents.
std::uint64_t quantile(const std::map<std::uint64_t, std::uint64_t>& documents_by_tokens, std::uint64_t percent);

/// Returns how many of the most frequent ids it takes to cover `percent` of all tokens.
std::uint64_t ids_to_cover(std::vector<std::uint64_t> counts, std::uint64_t percent);

/// Returns the entropy of a distribution in bits: Shannon's for order 1, else Rényi's.
double entropy_bits(const std::vector<std::uint64_t>& counts, double order);

}  // namespace flowrun::tokenizers
