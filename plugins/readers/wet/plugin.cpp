// readers/wet: the texts that a crawl has taken from its pages.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "readers/common/file_source.hpp"
#include "readers/common/utf8.hpp"
#include "readers/common/warc/warc_records.hpp"

namespace flowrun::readers {
namespace {

struct WetOptions {
  std::string id_field;  ///< "": the id is the record's place
  std::size_t max_record_bytes = 0;
};

class WetReader : public WarcRecordReader {
 public:
  WetReader(Window& stored, std::string path, const WetOptions& options) : WarcRecordReader(stored, std::move(path), options.max_record_bytes), options_(&options) {}

 protected:
  bool is_unwanted(const WarcHead& head, std::string_view) override { return is_warc_type(head.type) && head.type != "conversion"; }

  std::optional<Step> read_record(const WarcHead& head, std::string_view block, Record& record, Refusal& refusal) override {
    if (!same_name(head.type, "conversion")) return {};
    if (const std::size_t bad = find_invalid_utf8(block); bad != std::string_view::npos) {
      refusal = refuse("bad_utf8", describe_invalid_utf8(block, bad, "the record"));
      refusal.bytes = static_cast<std::int64_t>(block.size());
      return Step::kRefused;
    }
    record = {number(), block, {}, {}, columns_};
    const auto value = [&](std::size_t i, std::optional<std::string_view> found) { columns_[i] = found ? ColumnValue(header_text(*found, texts_[i])) : ColumnValue(); };
    value(0, target_uri(head.fields));
    value(1, head.fields.find("WARC-Date"));
    value(2, head.fields.find("WARC-Record-ID"));
    value(3, head.fields.find("WARC-Identified-Content-Language"));
    if (!options_->id_field.empty())
      if (const auto id = head.fields.find(options_->id_field); id && !id->empty()) record.id = header_text(*id, id_);
    return Step::kRecord;
  }

 private:
  const WetOptions* options_;
  std::string id_;
  std::array<std::string, 4> texts_;  ///< of columns whose bytes are no UTF-8
  std::array<ColumnValue, 4> columns_;
};

class Wet : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/wet", "0.1.0"), {"url", "date", "record_id", "languages"})
        .summary("Reads the texts of WET files, as of Common Crawl: the conversion records of WARC (.warc.wet, .gz, .zst).")
        .parameter(string("id_field").about("The WARC header that holds the document's id, as \"WARC-Record-ID\"; without it, and where it is missing, the id is <path>#<record from 0>, all records counted."))
        .parameter(integer("max_record_bytes").unit("bytes").range(256, 1 << 30).defaults(256 << 20).about("A longer record is refused as record_too_large."))
        .determinism("pure")
        .source("ISO 28500 (WARC 1.1); https://commoncrawl.org/get-started")
        .example("[node.web]\nplugin = \"readers/wet\"\npaths  = [\"../data/crawl/*.warc.wet.gz\"]\ndomain = \"web\"\n");
  }

  explicit Wet(const Params& params) : FileSource(params), options_{params.string_or("id_field", ""), static_cast<std::size_t>(params.integer("max_record_bytes"))} {
    show_stored_bytes();
    set_columns({{"url", "", ColumnType::kString}, {"date", "", ColumnType::kString}, {"record_id", "", ColumnType::kString}, {"languages", "", ColumnType::kString}});
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override { return std::make_unique<WetReader>(window, files()[part.file].path, options_); }

 private:
  WetOptions options_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Wet)
