#pragma once

// The stages of a curriculum, which mixers/weighted writes into its rows: the columns `stage` and, where stages say one, `sequence_length`. In a stage
// of length L rows have L tokens, and T / L of them share a place of T tokens: places, and so steps, have as many tokens in every stage (decisions 0013
// and 0017). A stage begins a new place.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/dataset.hpp>
#include <flowrun/descriptor.hpp>
#include <flowrun/node.hpp>

namespace flowrun::packers {

/// Documents of one stage that follow one another.
struct StageRun {
  std::int64_t first = 0;            ///< its first document, of those that were read
  std::uint32_t stage = 0;           ///< 0 where the input has no stages
  std::int64_t sequence_length = 0;  ///< tokens of its rows
};

/// What is known of documents before their tokens are read.
struct DocumentSizes {
  std::vector<std::uint32_t> lengths;  ///< in tokens, without their ends
  std::vector<StageRun> runs;          ///< in order; none only where there is no document
};

/// How a packer sees the stages of its input.
struct StageRule {
  std::int64_t sequence_length = 0;  ///< T: the tokens of a place, and of rows where stages say no length
  bool follow_stages = true;         ///< false: all documents are one stage without a length
};

/// The parameter `follow_stages`: by it the host knows that a packer follows stages, and checks their lengths before anything runs.
Parameter follow_stages_parameter();

/// Reads the sizes of documents [first, first + n). Throws kInvalidArgument for a stage whose length does not divide the rule's.
DocumentSizes read_sizes(const Call& call, const ConcatenatedDataset& documents, std::int64_t first, std::int64_t n, const StageRule& rule);

/// Throws kInvalidArgument where the input's stages have lengths of their own, which the packer `plugin` does not follow because of `reason`. A host that
/// has checked the graph does not come here.
void refuse_stage_lengths(const Field& input, std::string_view plugin, std::string_view reason);

/// A stage's part of the places that a packer gives.
struct Section {
  std::uint32_t stage = 0;
  std::int64_t sequence_length = 0;
  std::int64_t begin = 0;  ///< where it begins in what its packer counts: tokens or windows of documents
  std::int64_t place = 0;  ///< its first place, which is also the next section's where it fills none

  bool is_of(const StageRun& run) const noexcept { return stage == run.stage && sequence_length == run.sequence_length; }
  bool operator==(const Section&) const = default;
};

/// Returns the number of the section that holds a place; places behind the last section's first one are its own.
std::size_t section_of(std::span<const Section> sections, std::int64_t place) noexcept;

/// Writes sections for the plugin of that id. Throws kIo.
void save_sections(const std::string& path, std::string_view plugin, std::span<const Section> sections);
/// Throws kNotFound where there is no file, and kCorruptData where it is not the one that was written.
std::vector<Section> load_sections(const std::string& path, std::string_view plugin);

}  // namespace flowrun::packers
