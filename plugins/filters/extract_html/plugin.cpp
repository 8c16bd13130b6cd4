// filters/extract_html: the main text of HTML pages.

#include <flowrun/node.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extraction.hpp"

namespace flowrun::filters {
namespace {

/// Columns that are added, or filled where they are there and null.
constexpr std::array<const char*, 3> kColumns = {"title", "language", "url"};

html::Head read_head(const std::string& name) { return name == "article" ? html::Head::kArticle : name == "full" ? html::Head::kFull : html::Head::kUnion; }

std::optional<std::string_view> value_of(const ArrowArray& batch, const ArrowArray& column, std::int64_t row) {
  if (detail::may_be_null(column) && !detail::bit(column.buffers[0], batch.offset + column.offset + row)) return {};
  return StringColumn(batch, column)[row];
}

/// A utf8 column in which "" is null.
class NullableStrings {
 public:
  void append(std::string_view value) {
    if (!value.empty()) present_.push_back(values_.length());
    values_.append(value);
  }
  OwnedArray finish() {
    const std::int64_t rows = values_.length();
    auto holder = std::make_unique<detail::ArrayHolder>();
    holder->buffers[0].assign(static_cast<std::size_t>((rows + 7) / 8), 0);
    for (const std::int64_t row : present_) detail::set_bit(holder->buffers[0], row);
    auto strings = std::make_shared<OwnedArray>(values_.finish());
    holder->pointers[0] = holder->buffers[0].data();
    holder->pointers[1] = strings->get().buffers[1];
    holder->pointers[2] = strings->get().buffers[2];
    holder->kept = strings;
    return detail::make_array(std::move(holder), rows, 3, rows - static_cast<std::int64_t>(present_.size()));
  }

 private:
  StringBuilder values_;
  std::vector<std::int64_t> present_;
};

class ExtractHtml : public Map {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/extract_html", "0.1.0")
        .summary(
            "Makes texts of HTML pages: the main text without navigation, as lines for paragraphs, headings, items of lists and rows of tables. Columns `title`, `language` and `url` are added, "
            "or filled where the input has them and says nothing.")
        .input({"in", "documents"})
        .output(Port("out", "documents").columns({kColumns.begin(), kColumns.end()}))
        .parameter(string("head").choices({"article", "full", "union"}).defaults("article").about(
            "What is taken. \"article\": the section with most of the prose, and what belongs to it. \"full\": everything that is visible but what is marked, named or laid out as navigation, "
            "advertisement and the like. \"union\": what either takes."))
        .parameter(integer("max_bytes").unit("bytes").range(1, 256 << 20).defaults(8 << 20).about("Longer pages are dropped: too_large."))
        .parameter(integer("max_depth").unit("elements").range(16, 100000).defaults(1024).about("Pages with more elements inside each other are dropped: too_deep. Browsers stop nesting at 512."))
        .parameter(integer("max_nodes").unit("nodes").range(100, 100000000).defaults(1000000).about(
            "Pages with more elements, texts and attributes, the parser's copies included, are dropped: too_many_nodes. A node takes about 200 bytes while its page is parsed."))
        .parameter(integer("max_steps").unit("steps").range(1000, 100000000000).defaults(100000000).about(
            "Pages that cost the parser more are dropped: too_many_steps. A step is a look at one open element, or four bytes that are copied. No clock is looked at, so that results do not "
            "depend on the machine."))
        .determinism("pure")
        .threads("Any number of calls at once; each holds the tree of one page, at most 200 bytes for each of `max_nodes`.")
        .source(
            "https://html.spec.whatwg.org, 13.2 (Lexbor 3.1.0); Arc90's and Mozilla's Readability (scores); Bevendorff et al. 2021, Resiliparse (rules). Compared with Resiliparse and trafilatura: "
            "docs/html.md")
        .example("[node.texts]\nplugin = \"filters/extract_html\"\nin     = \"crawl\"\n");
  }

  explicit ExtractHtml(const Params& params) : head_(read_head(params.string("head"))) {
    const auto size = [&](const char* name) { return static_cast<std::size_t>(params.integer(name)); };
    limits_ = {size("max_bytes"), {size("max_depth"), size("max_nodes"), size("max_steps")}};
  }

  void open(Open& open) override {
    schema_ = open.input();
    Field output = schema_;
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      Field column = fields::utf8(kColumns[i]);
      column.nullable = true;
      places_[i] = schema_.find(kColumns[i]);
      if (places_[i] < 0) {
        output.children.push_back(std::move(column));
        continue;
      }
      Field& there = output.children[static_cast<std::size_t>(places_[i])];
      if (there.format != column.format) throw Error(Code::kInvalidArgument, "the input's column '" + column.name + "' has the format '" + there.format + "', expected text");
      there = std::move(column);
    }
    open.set_output(0, output);
  }

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    html::Extraction extraction(limits_, head_);
    std::vector<std::int64_t> kept;
    StringBuilder texts;
    std::array<NullableStrings, kColumns.size()> columns;
    for (std::int64_t row = 0; row < in.length; ++row) {
      call.check_stop();
      if (const html::PageFault fault = extraction.read(documents.text[row]); fault.reason != nullptr) {
        call.drop(row, fault.reason, fault.value, fault.threshold);
        continue;
      }
      kept.push_back(row);
      texts.append(extraction.text());
      const html::Page& page = extraction.page();
      const std::array<std::string_view, kColumns.size()> found = {page.title, page.language, page.url};
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto given = places_[i] < 0 ? std::nullopt : value_of(in, *in.children[places_[i]], row);
        columns[i].append(given.value_or("").empty() ? found[i] : *given);
      }
    }
    make_output(in, kept, texts, columns).move_to(&out[0]);
  }

 private:
  OwnedArray make_output(const ArrowArray& in, const std::vector<std::int64_t>& kept, StringBuilder& texts, std::array<NullableStrings, kColumns.size()>& columns) const {
    std::vector<OwnedArray> made;
    for (int i = 0; i < static_cast<int>(schema_.children.size()); ++i) {
      const Field& field = schema_.children[static_cast<std::size_t>(i)];
      const auto place = std::find(places_.begin(), places_.end(), i);
      if (field.name == "text")
        made.push_back(texts.finish());
      else if (place != places_.end())
        made.push_back(columns[static_cast<std::size_t>(place - places_.begin())].finish());
      else
        made.push_back(gather(*in.children[i], field, kept, in.offset));
    }
    for (std::size_t i = 0; i < kColumns.size(); ++i)
      if (places_[i] < 0) made.push_back(columns[i].finish());
    return make_batch(std::move(made), static_cast<std::int64_t>(kept.size()));
  }

  const html::Head head_;
  html::ExtractionLimits limits_;
  Field schema_;
  std::array<int, kColumns.size()> places_{};  ///< in the input; -1: not there
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::ExtractHtml)
