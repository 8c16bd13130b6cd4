#pragma once

// From what is measured of each domain to weights:
//     v_i = (product over columns c of s_ic / s_c)^a * z_i^b * ((1 - d_i) (1 - l_i))^c,    w_i = v_i / (sum_j b_j v_j / sum_j b_j)
// s_ic: mean of score column c over the domain's documents, s_c over all documents; z_i: compressed bytes per byte of a sample; d_i, l_i: shares of
// documents and lines that repeat an earlier one of the domain; b_i: bytes of text; a, b, c: powers, 0 leaves a factor out. The last division makes
// 1 the weight that keeps a domain's share.
//
// Sources: that text which compresses less teaches more is the finding of Yin et al. 2024, "Entropy Law", arXiv:2407.06645; that repeated documents and
// lines teach less, of Lee et al. 2022, arXiv:2107.06499. Their product with scores is this project's own choice.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace flowrun::mixers {

/// What is known of one domain.
struct DomainQuality {
  std::string name;
  std::int64_t documents = 0, bytes = 0;
  std::map<std::string, double> score_sums;  ///< by column
  std::int64_t sample_bytes = 0, compressed_bytes = 0;
  double compression_ratio = 1;
  double duplicate_documents = 0, duplicate_lines = 0;
  bool duplicates_are_exact = true;
  double weight = 0;

  double score_mean(const std::string& column) const { return documents == 0 ? 0 : score_sums.at(column) / static_cast<double>(documents); }
};

struct QualityPowers {
  double scores = 1, compression = 1, duplicates = 1;
};

/// Sets the weights. Throws kInvalidArgument where a mean is below 0, or a column's over all documents is 0.
void set_weights(std::vector<DomainQuality>& domains, const std::vector<std::string>& columns, const QualityPowers& powers);

/// Returns weights.json: the formula, and every figure of every domain, sorted by name.
std::string quality_json(const std::vector<DomainQuality>& domains, const std::vector<std::string>& columns, const QualityPowers& powers);

}  // namespace flowrun::mixers
