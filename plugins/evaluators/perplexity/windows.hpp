#pragma once

// Cuts documents into windows and gathers windows that can go through a model together.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::evaluators {

/// Windows of one domain and one length.
struct WindowGroup {
  std::string domain;
  std::int64_t length = 0;
  std::vector<std::int64_t> positions;  ///< of each window: a number that depends on its document and place alone
  std::vector<std::int64_t> ids;        ///< one window after another
};

/// Gathers windows and gives groups of about `group_tokens` away; what is left at the end comes with `finish`, by domain and length. Windows of
/// equal length need no padding, so a group's loss is that of its windows one by one.
class WindowGroups {
 public:
  WindowGroups(std::int64_t window_length, std::int64_t group_tokens, std::function<void(const WindowGroup&)> give)
      : window_length_(window_length), group_tokens_(group_tokens), give_(std::move(give)) {}
  /// Cuts document `row` into windows of the window length; the last one is what remains.
  void add(std::int64_t row, const std::string& domain, std::span<const std::uint32_t> ids);
  void finish();

 private:
  std::int64_t window_length_, group_tokens_;
  std::function<void(const WindowGroup&)> give_;
  std::map<std::pair<std::string, std::int64_t>, WindowGroup> groups_;
};

/// Returns the smallest k for which every k-th document, from the first, has at most `max_tokens` tokens in all (0: no limit): so that a limit leaves
/// documents of all domains.
std::int64_t document_stride(std::span<const std::uint32_t> lengths, std::int64_t max_tokens);

}  // namespace flowrun::evaluators
