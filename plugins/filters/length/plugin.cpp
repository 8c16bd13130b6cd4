// filters/length: drops documents that are too short or too long.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "filters/common/text.hpp"
#include "filters/common/text_filter.hpp"
#include "filters/common/word_splitter.hpp"

namespace flowrun::filters {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

class LengthNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/length", "0.1.0")
        .summary("Drops documents shorter or longer than a number of characters, bytes, words or lines.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(string("unit").choices({"characters", "bytes", "words", "lines"}).defaults("characters").about(
            "What is counted. Characters are code points, bytes those of UTF-8, lines those of Python's str.splitlines()."))
        .parameter(words_parameter())
        .parameter(integer("min").min_value(0).defaults(0).about("Fewer: too_short."))
        .parameter(integer("max").min_value(0).about("More: too_long. Without it there is no such rule."))
        .less_or_equal("min", "max")
        .determinism("pure")
        .source("none; datatrove has its LambdaFilter for this")
        .example("[node.long]\nplugin = \"filters/length\"\nin     = \"unique\"\nunit   = \"words\"\nmin    = 50\nmax    = 100000\n");
  }

  explicit LengthNode(const Params& params)
      : TextFilter("length", params), unit_(params.string("unit")), min_(params.integer("min")), max_(params.integer_or("max", kNoLimit)) {
    if (unit_ == "words") splitter_.emplace(params.string("words"));
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override { return check(documents.text[row]); }

 private:
  std::optional<Verdict> check(std::string_view text) const {
    const std::int64_t length = length_of(text);
    if (length < min_) return Verdict{"too_short", static_cast<double>(length), static_cast<double>(min_)};
    if (length > max_) return Verdict{"too_long", static_cast<double>(length), static_cast<double>(max_)};
    return std::nullopt;
  }
  std::int64_t length_of(std::string_view text) const {
    if (splitter_) {
      WordList words;
      splitter_->split(text, words);
      return static_cast<std::int64_t>(words.words.size());
    }
    if (unit_ == "bytes") return static_cast<std::int64_t>(text.size());
    if (unit_ == "characters") return character_count(text);
    std::int64_t lines = 0;
    LineSplitter splitter(text);
    for (std::string_view line; splitter.next(line);) ++lines;
    return lines;
  }

  std::string unit_;
  std::int64_t min_, max_;
  std::optional<WordSplitter> splitter_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::LengthNode)
