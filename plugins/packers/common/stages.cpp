#include "packers/common/stages.hpp"

#include <algorithm>

#include <flowrun/error.hpp>

#include "packers/common/numbers_file.hpp"

namespace flowrun::packers {
namespace {

constexpr std::size_t kSectionNumbers = 4;

/// Returns whether rows have the column as a mixer writes it. One of another type is somebody else's.
bool has_column(const Field& rows, std::string_view name) {
  const int index = rows.find(name);
  return index >= 0 && rows.children[static_cast<std::size_t>(index)].format == "I";
}

const std::uint32_t* find_column(const BatchView& view, std::string_view name) { return has_column(view.schema(), name) ? view.values<std::uint32_t>(name, "I") : nullptr; }

void check(const StageRun& run, std::int64_t sequence_length) {
  if (run.sequence_length >= 2 && sequence_length % run.sequence_length == 0) return;
  throw Error(Code::kInvalidArgument, "stage " + std::to_string(run.stage) + " has sequences of " + std::to_string(run.sequence_length) + " tokens, expected a length that divides the packer's 'sequence_length', " +
                                          std::to_string(sequence_length) + ": a place of that many tokens is shared by shorter sequences, so that every step has the same number of tokens");
}

}  // namespace

Parameter follow_stages_parameter() {
  return boolean("follow_stages").defaults(true).about(
      "Gives rows the length that the mixer's stages say, and begins each stage in a new place. false packs the same documents in the same order as if there were no "
      "stages: what a curriculum of lengths brings is then seen by comparison.");
}

DocumentSizes read_sizes(const Call& call, const ConcatenatedDataset& documents, std::int64_t first, std::int64_t n, const StageRule& rule) {
  const OwnedArray rows = documents.index(call, first, n);
  const BatchView view(rows.get(), documents.index_schema());
  const auto* lengths = view.values<std::uint32_t>("length", "I");
  DocumentSizes sizes{{lengths, lengths + n}, {}};
  const std::uint32_t* stages = rule.follow_stages ? find_column(view, "stage") : nullptr;
  const std::uint32_t* stage_lengths = rule.follow_stages ? find_column(view, "sequence_length") : nullptr;
  for (std::int64_t row = 0; row < n; ++row) {
    const StageRun run{row, stages == nullptr ? 0 : stages[row], stage_lengths == nullptr ? rule.sequence_length : stage_lengths[row]};
    if (!sizes.runs.empty() && sizes.runs.back().stage == run.stage && sizes.runs.back().sequence_length == run.sequence_length) continue;
    check(run, rule.sequence_length);
    sizes.runs.push_back(run);
  }
  return sizes;
}

void refuse_stage_lengths(const Field& input, std::string_view plugin, std::string_view reason) {
  if (!has_column(input, "sequence_length")) return;
  throw Error(Code::kInvalidArgument, "the stages of the input's mixer have a 'sequence_length', which " + std::string(plugin) + " does not follow: " + std::string(reason) +
                                          "; take it out of the stages, or let packers/concat or packers/best_fit pack them");
}

std::size_t section_of(std::span<const Section> sections, std::int64_t place) noexcept {
  const auto after = std::upper_bound(sections.begin(), sections.end(), place, [](std::int64_t value, const Section& section) { return value < section.place; });
  return static_cast<std::size_t>(after - sections.begin()) - 1;
}

void save_sections(const std::string& path, std::string_view plugin, std::span<const Section> sections) {
  std::vector<std::int64_t> numbers;
  for (const Section& section : sections) numbers.insert(numbers.end(), {section.stage, section.sequence_length, section.begin, section.place});
  save_numbers(path, plugin, numbers);
}

std::vector<Section> load_sections(const std::string& path, std::string_view plugin) {
  const auto numbers = load_numbers(path, plugin);
  if (numbers.size() % kSectionNumbers != 0) throw Error(Code::kCorruptData, path + " has " + std::to_string(numbers.size()) + " numbers, expected four for each section");
  std::vector<Section> sections;
  for (std::size_t i = 0; i < numbers.size(); i += kSectionNumbers) sections.push_back({static_cast<std::uint32_t>(numbers[i]), numbers[i + 1], numbers[i + 2], numbers[i + 3]});
  return sections;
}

}  // namespace flowrun::packers
