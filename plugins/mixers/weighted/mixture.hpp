#pragma once

// What mixers/weighted keeps: the documents of each domain and the schedule over them; and what it says of the mixture to people and to `plan`.

#include <string>
#include <vector>

#include "domain_index.hpp"
#include "schedule.hpp"
#include "stage_parameters.hpp"

namespace flowrun::mixers {

struct Mixture {
  DomainIndex index;
  Schedule schedule;

  /// Writes both to one file. Throws kIo.
  void save(const std::string& path) const;
  /// Throws kNotFound where there is no file and kCorruptData where it is not the one that was written.
  static Mixture load(const std::string& path);
};

/// A domain's part in a mixture.
struct Part {
  double weight = 0;      ///< as it stands in the formula of the last stage, with all that multiplies it
  double proportion = 0;  ///< of the tokens: as drawn where the mixture has an end, else of the last stage
};

std::vector<Part> parts_of(const Mixture& mixture, const std::vector<double>& weights);

/// Returns mixture.json: for each domain its documents and tokens, its part, and what is drawn of it (null without an end); for each stage of a curriculum
/// its tokens (null without an end), the column of its order, the length of its sequences (both null where it says none) and the proportions of its domains.
std::string mixture_json(const Mixture& mixture, const std::vector<Part>& parts, const std::vector<StageParameters>& stages);

/// Returns "shares of the tokens: web 0.7500, books 0.2500".
std::string shares_text(const Mixture& mixture, const std::vector<Part>& parts);

}  // namespace flowrun::mixers
