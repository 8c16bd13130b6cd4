#pragma once

#include <limits>

namespace flowrun::filters {

/// The first rule that a text breaks: datatrove's reason, the value that was found and the one that it was compared with, if there are any.
struct Verdict {
  const char* reason;
  double value = std::numeric_limits<double>::quiet_NaN(), threshold = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace flowrun::filters
