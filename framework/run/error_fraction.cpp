#include "run/error_fraction.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "run/exit_codes.hpp"

namespace flowrun::run {
namespace {

double share(std::int64_t part, std::int64_t whole) { return whole <= 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole); }

void check_documents(const RunContext& context, const NodeCounters& counters) {
  std::int64_t found = 0, refused = 0;
  for (const auto& [i, own] : counters) {
    if (context.graph.nodes[i].descriptor().kind == "source") found += own.in.documents;
    refused += own.errors_total().documents;
  }
  const double allowed = context.graph.run.max_error_fraction, fraction = share(refused, found);
  if (fraction <= allowed) return;
  throw ExitError(kDamagedInput, Code::kCorruptData,
                  fmt::format("{} of {} documents were refused ({:.2f} %), more than run.max_error_fraction = {} allows; see log.jsonl", refused, found, 100 * fraction, allowed));
}

/// Files of one source that were not read to their end.
class UnreadFiles {
 public:
  UnreadFiles(const NodeFiles& files, const std::map<std::string, graph::UnreadFile>& unread) {
    for (const auto& [parameter, list] : files)
      for (std::size_t i = 0; i < list->size(); ++i) {
        const graph::ResolvedFile file = (*list)[i];
        std::error_code gone;  // since it was read: its bytes count no more
        const auto size = std::filesystem::file_size(file.path, gone);
        if (gone) continue;
        stored_bytes_ += static_cast<std::int64_t>(size);
        if (const auto found = unread.find(std::string(file.display)); found != unread.end()) add(*found, static_cast<std::int64_t>(size));
      }
  }

  std::int64_t bytes() const noexcept { return bytes_; }
  std::int64_t stored_bytes() const noexcept { return stored_bytes_; }
  /// Returns a line for each file, and one for those that are too many to be shown.
  std::vector<std::string> lines() const {
    constexpr std::size_t kShown = 5;
    std::vector<std::string> shown(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(std::min(lines_.size(), kShown)));
    if (lines_.size() > kShown) shown.push_back(fmt::format("and {} more: see log.jsonl", lines_.size() - kShown));
    return shown;
  }

 private:
  void add(const std::pair<const std::string, graph::UnreadFile>& file, std::int64_t size) {
    const auto& [name, unread] = file;
    bytes_ += unread.ends_early ? size : std::min(unread.bytes, size);  // damage inside an archive is measured in its unpacked bytes
    lines_.push_back(unread.ends_early ? fmt::format("{}: ends early, after {} bytes; how much is missing is not known, so all of it counts", name, size)
                                       : fmt::format("{}: {} of {} bytes unread", name, std::min(unread.bytes, size), size));
  }

  std::int64_t bytes_ = 0, stored_bytes_ = 0;
  std::vector<std::string> lines_;
};

void check_stored_bytes(const RunContext& context, const NodeCounters& counters) {
  const double allowed = context.graph.run.max_error_fraction;
  for (const auto& [i, own] : counters) {
    if (own.unread.empty()) continue;
    const UnreadFiles files(context.files[i], own.unread);
    const double fraction = share(files.bytes(), files.stored_bytes());
    if (fraction <= allowed) continue;
    ExitError error(kDamagedInput, Code::kCorruptData,
                    fmt::format("{} of {} stored bytes of '{}' could not be read ({:.2f} %), more than run.max_error_fraction = {} allows", files.bytes(), files.stored_bytes(),
                                context.graph.nodes[i].name, 100 * fraction, allowed));
    for (const std::string& line : files.lines()) error.add_context(line);
    error.add_context(fmt::format("fetch or make {} again, or go on with what can be read by --set run.max_error_fraction=1.0", files.lines().size() == 1 ? "this file" : "these files"));
    throw error;
  }
}

}  // namespace

void check_error_fraction(const RunContext& context, const NodeCounters& counters) {
  check_documents(context, counters);
  check_stored_bytes(context, counters);
}

}  // namespace flowrun::run
