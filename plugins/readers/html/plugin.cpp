// readers/html: HTML files, alone or in archives, each a page.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "canonical.hpp"
#include "readers/common/charset/page_decoder.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/tar_reader.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::array kColumns = {"url", "charset", "charset_source", "replaced"};

struct HtmlOptions {
  PageDecoderOptions decoder;
  std::string base_url;
  std::vector<std::string> suffixes;
  std::size_t max_record_bytes = 0;
};

bool has_suffix(std::string_view path, const std::vector<std::string>& suffixes) noexcept {
  for (const std::string& suffix : suffixes)
    if (path.ends_with(suffix)) return true;
  return false;
}

class HtmlReader : public RecordReader {
 public:
  HtmlReader(Window& window, const InputFile& file, const HtmlOptions& options) : window_(&window), file_(&file), options_(&options), decoder_(options.decoder) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (state_ == State::kStart) start(call);
    if (state_ == State::kFile) {
      state_ = State::kEnd;
      return read_file(call, record, refusal);
    }
    return state_ == State::kArchive ? read_member(call, record, refusal) : Step::kEnd;
  }

 private:
  enum class State { kStart, kFile, kArchive, kEnd };

  void start(const Call& call) {
    constexpr std::size_t kHeaderBytes = 512;
    has_mark_ = window_->position() > 0;  // the window has taken a byte order mark of UTF-8 off
    while (window_->data().size() < kHeaderBytes && window_->extend(call)) {
    }
    const bool is_archive = looks_like_tar(window_->data());
    state_ = is_archive ? State::kArchive : State::kFile;
    if (is_archive) tar_ = std::make_unique<TarReader>(*window_);
  }

  Step read_file(const Call& call, Record& record, Refusal& refusal) {
    while (window_->data().size() <= options_->max_record_bytes && window_->extend(call)) {
    }
    if (window_->data().size() > options_->max_record_bytes) return refuse(refusal, 0, "record_too_large", too_large());
    if (window_->file().damage()) return Step::kEnd;
    return take(window_->data(), file_->display, 0, record, refusal);
  }

  Step read_member(const Call& call, Record& record, Refusal& refusal) {
    TarMember member;
    TarDamage damage;
    while (true) {
      switch (tar_->next(call, member, damage)) {
        case TarReader::Step::kEnd:
          state_ = State::kEnd;
          return Step::kEnd;
        case TarReader::Step::kDamaged:
          refusal = {-1, "damaged_tar", damage.message + ", at byte " + std::to_string(damage.position) + " of the archive", window_->file().is_plain() ? damage.position : -1, 0, 0, damage.bytes};
          return Step::kRefused;
        case TarReader::Step::kFile: break;
      }
      const std::int64_t number = number_++;
      path_ = std::move(member.name);
      if (find_invalid_utf8(path_) != std::string_view::npos) return refuse(refusal, number, "bad_utf8", "the name of file " + std::to_string(number) + " of the archive is not UTF-8");
      if (!has_suffix(path_, options_->suffixes)) return leave_out(record, number, {}, "other_suffix");
      switch (tar_->read(call, content_, options_->max_record_bytes)) {
        case TarReader::Content::kTooLarge: return refuse(refusal, number, "record_too_large", path_ + ": " + too_large());
        case TarReader::Content::kCut: continue;  // the archive says why
        case TarReader::Content::kWhole: break;
      }
      return take(content_, path_, number, record, refusal);
    }
  }

  Step take(std::string_view bytes, std::string_view path, std::int64_t number, Record& record, Refusal& refusal) {
    if (bytes.empty()) return leave_out(record, number, bytes, "empty");
    DecodedPage page;
    if (auto fault = decoder_.decode(bytes, has_mark_ ? "utf-8" : "", false, page))
      return refuse(refusal, number, fault->code, (tar_ ? path_ + ": " : std::string()) + fault->message, bytes.size());
    url_ = canonical_url(page.text);
    if (url_.empty()) url_ = options_->base_url + std::string(path);
    columns_ = {std::string_view(url_), page.charset, has_mark_ ? "bom" : page.charset_source, page.replaced};
    record = {number, page.text, {}, {}, columns_};
    return Step::kRecord;
  }

  static Step leave_out(Record& record, std::int64_t number, std::string_view text, const char* reason) {
    record = {number, text, {}, {}};
    record.drop = {reason};
    return Step::kDropped;
  }

  Step refuse(Refusal& refusal, std::int64_t number, const char* code, std::string message, std::size_t bytes = 0) {
    refusal = {number, code, std::move(message), !tar_ && window_->file().is_plain() ? 0 : -1, static_cast<std::int64_t>(bytes)};
    return Step::kRefused;
  }
  std::string too_large() const { return "a file of more than " + std::to_string(options_->max_record_bytes) + " bytes ('max_record_bytes')"; }

  Window* window_;
  const InputFile* file_;
  const HtmlOptions* options_;
  PageDecoder decoder_;
  State state_ = State::kStart;
  bool has_mark_ = false;
  std::unique_ptr<TarReader> tar_;
  std::string content_, path_, url_;
  std::array<ColumnValue, kColumns.size()> columns_;
  std::int64_t number_ = 0;
};

class Html : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe_page_decoder(describe(Descriptor("readers/html", "0.1.0"), {kColumns.begin(), kColumns.end()})
                                     .summary("Reads HTML files, each a page, alone (plain or compressed) or in tar archives, decoded to UTF-8: the page as it is stored, HTML and all."))
        .parameter(string("base_url").defaults("").about(
            "What stands before a file's path in the column 'url', as \"https://example.org/\", where the page has no <link rel=canonical>. The path is that of the document's id, or in the archive."))
        .parameter(strings("suffixes").defaults(std::vector<std::string>{".html", ".htm", ".xhtml"}).about(
            "Which files of an archive are pages; others are dropped as other_suffix. Files outside archives are what 'paths' says."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A file that has more is refused as record_too_large."))
        .determinism("pure")
        .source("https://encoding.spec.whatwg.org; https://html.spec.whatwg.org, 13.2.3.2; RFC 6596 (canonical)")
        .example("[node.pages]\nplugin = \"readers/html\"\npaths  = [\"../data/html/**/*.html\"]\ndomain = \"web\"\n");
  }

  explicit Html(const Params& params) : FileSource(params) {
    options_.decoder = read_page_decoder(params);
    options_.base_url = params.string("base_url");
    options_.suffixes = params.strings("suffixes");
    options_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    set_columns({{kColumns[0], ""}, {kColumns[1], ""}, {kColumns[2], ""}, {kColumns[3], "", ColumnType::kInteger}});
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override { return std::make_unique<HtmlReader>(window, files()[part.file], options_); }

 protected:
  bool wants_utf8() const override { return false; }

 private:
  HtmlOptions options_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Html)
