// filters/minimum_length: drops documents that are too short. The smallest complete plugin: copy this folder and write your own.

#include <flowrun/node.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace {

/// Counts the characters (code points) of UTF-8 text: every byte but those that continue one.
std::int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

class MinimumLength : public flowrun::RowFilter {
 public:
  /// What `flowrun inspect` shows, and what graph files are checked against.
  static flowrun::Descriptor descriptor() {
    return flowrun::Descriptor("filters/minimum_length", "0.1.0")
        .summary("Drops documents whose text has fewer than a number of characters.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(flowrun::integer("min_characters").unit("characters").min_value(0).defaults(200).about("Documents with fewer characters are dropped as too_short."))
        .determinism("pure")
        .source("The template of the flowrun SDK.")
        .example("[node.long]\nplugin = \"filters/minimum_length\"\nin     = \"web\"\nmin_characters = 100\n");
  }

  explicit MinimumLength(const flowrun::Params& params) : min_characters_(params.integer("min_characters")) {}

  /// Called on many threads at once: only read members here.
  std::optional<flowrun::Drop> decide(const flowrun::DocumentsView& documents, std::int64_t row) override {
    const std::int64_t characters = count_characters(documents.text[row]);
    if (characters >= min_characters_) return std::nullopt;
    return flowrun::Drop{"too_short", static_cast<double>(characters), static_cast<double>(min_characters_)};
  }

 private:
  const std::int64_t min_characters_;
};

}  // namespace

FLOWRUN_PLUGIN(MinimumLength)
