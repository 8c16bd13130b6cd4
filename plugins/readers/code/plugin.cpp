// readers/code: source code from trees and archives.

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kinds.hpp"
#include "language.hpp"
#include "license.hpp"
#include "notebook.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/tar_reader.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::array kColumns = {"language", "license", "path", "flags"};

constexpr std::size_t kLicenseBytes = 256 << 10;  // the longest text that is one: all of the GNU licences together have less

/// Which licence files a tree or an archive has: the licences by folder.
class Licenses {
 public:
  void add(std::string_view path, std::string_view text) {
    std::string& known = by_folder_[std::string(folder_of(path))];
    known = join_licenses(known, license_of_text(text), path);
  }
  /// Returns the licence of the nearest folder above `path` that has one.
  std::string_view find(std::string_view path) const {
    for (std::string_view folder = folder_of(path);; folder = folder_of(folder)) {
      if (const auto found = by_folder_.find(folder); found != by_folder_.end() && !found->second.empty()) return found->second;
      if (folder.empty()) return {};
    }
  }

 private:
  static std::string_view folder_of(std::string_view path) noexcept {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  std::map<std::string, std::string, std::less<>> by_folder_;
};

struct Options {
  bool drop_generated = false, drop_vendored = false, drop_minified = false, drop_large = false, drop_unknown = false;
  bool nearest_license = true;
  std::size_t large_bytes = 0, max_record_bytes = 0;
};

class CodeReader : public RecordReader {
 public:
  CodeReader(Window& window, const InputFile& file, const Licenses& licenses, const Options& options) : window_(&window), file_(&file), licenses_(&licenses), options_(&options) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (state_ == State::kStart) start(call);
    if (state_ == State::kSingle) {
      state_ = State::kEnd;
      return read_single(call, record, refusal);
    }
    return state_ == State::kArchive ? read_archive(call, record, refusal) : Step::kEnd;
  }

 private:
  enum class State { kStart, kSingle, kArchive, kEnd };

  void start(const Call& call) {
    constexpr std::size_t kHeaderBytes = 512;
    while (window_->data().size() < kHeaderBytes && window_->extend(call)) {
    }
    const std::string_view path = file_->path;
    const bool archive = looks_like_tar(window_->data()) || path.ends_with(".tar") || path.find(".tar.") != std::string_view::npos;
    state_ = archive ? State::kArchive : State::kSingle;
    if (!archive) return;
    if (options_->nearest_license) read_licenses(call);
    tar_ = std::make_unique<TarReader>(*window_);
  }

  /// Reads the archive once for its licence files alone: they may stand behind what they are for.
  void read_licenses(const Call& call) {
    StoredFile stored(file_->path);
    Window window(call, stored);
    TarReader tar(window);
    TarMember member;
    TarDamage damage;
    std::string text;
    for (TarReader::Step step; (step = tar.next(call, member, damage)) != TarReader::Step::kEnd;)
      if (step == TarReader::Step::kFile && is_license_name(member.name) && tar.read(call, text, kLicenseBytes) == TarReader::Content::kWhole) own_licenses_.add(member.name, text);
    licenses_ = &own_licenses_;
  }

  Step read_single(const Call& call, Record& record, Refusal& refusal) {
    while (window_->data().size() <= options_->max_record_bytes && window_->extend(call)) {
    }
    if (window_->data().size() > options_->max_record_bytes) return refuse(refusal, 0, "record_too_large", too_large());
    if (window_->file().damage()) return Step::kEnd;
    path_ = file_->display;
    if (const std::size_t dot = path_.rfind('.'); !window_->file().is_plain() && dot != std::string::npos) path_.resize(dot);  // of the compression
    return take(window_->data(), 0, record, refusal);
  }

  Step read_archive(const Call& call, Record& record, Refusal& refusal) {
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
      switch (tar_->read(call, content_, options_->max_record_bytes)) {
        case TarReader::Content::kTooLarge: return refuse(refusal, number, "record_too_large", path_ + ": " + too_large());
        case TarReader::Content::kCut: continue;  // the archive says why
        case TarReader::Content::kWhole: break;
      }
      return take(content_, number, record, refusal);
    }
  }

  /// Decides about one file.
  Step take(std::string_view text, std::int64_t number, Record& record, Refusal& refusal) {
    record = {number, text, std::nullopt, std::nullopt};
    if (text.empty()) return leave_out(record, "empty");
    if (is_binary(text)) return leave_out(record, "binary");
    language_ = find_language(path_, text);
    if (language_.empty() && options_->drop_unknown) return leave_out(record, "unknown");
    flags_.clear();
    if (text.size() > options_->large_bytes && !flag("large", options_->drop_large))
      return leave_out(record, "large", static_cast<double>(text.size()), static_cast<double>(options_->large_bytes));
    if (is_vendored(path_) && !flag("vendored", options_->drop_vendored)) return leave_out(record, "vendored");
    if (is_minified(path_, text) && !flag("minified", options_->drop_minified)) return leave_out(record, "minified");
    if (is_generated(path_, text) && !flag("generated", options_->drop_generated)) return leave_out(record, "generated");
    if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos)
      return refuse(refusal, number, "bad_utf8", path_ + ": " + describe_invalid_utf8(text, bad, "the file"), text.size());
    license_ = license_of_header(text);
    if (license_.empty() && options_->nearest_license) license_ = licenses_->find(path_);
    if (language_ == "Jupyter Notebook") {
      if (auto fault = notebook_to_text(text, notebook_)) return refuse(refusal, number, "bad_notebook", path_ + ": " + *fault, text.size());
      if (notebook_.empty()) return leave_out(record, "empty_notebook");
      text = notebook_;
    }
    columns_ = {language_, license_, path_, flags_};
    record = {number, text, std::nullopt, std::nullopt, columns_};
    return Step::kRecord;
  }

  /// Notes what a file is; returns whether it stays.
  bool flag(const char* name, bool drop) {
    if (drop) return false;
    (flags_ += flags_.empty() ? "" : ",") += name;
    return true;
  }
  /// Leaves the file out. What is binary has no text.
  static Step leave_out(Record& record, const char* reason, double value = std::numeric_limits<double>::quiet_NaN(), double threshold = std::numeric_limits<double>::quiet_NaN()) {
    record.drop = {reason, value, threshold};
    if (record.drop.reason == std::string_view("binary")) record.text = {};
    return Step::kDropped;
  }

  Step refuse(Refusal& refusal, std::int64_t number, const char* code, std::string message, std::size_t bytes = 0) {
    const bool single = tar_ == nullptr;
    refusal = {number, code, std::move(message), single && window_->file().is_plain() ? 0 : -1, static_cast<std::int64_t>(bytes)};
    return Step::kRefused;
  }
  std::string too_large() const { return "a file of more than " + std::to_string(options_->max_record_bytes) + " bytes ('max_record_bytes')"; }

  Window* window_;
  const InputFile* file_;
  const Licenses* licenses_;
  const Options* options_;
  State state_ = State::kStart;
  std::unique_ptr<TarReader> tar_;
  Licenses own_licenses_;
  std::string content_, notebook_, path_, license_, flags_;
  std::string_view language_;
  std::array<ColumnValue, kColumns.size()> columns_;
  std::int64_t number_ = 0;
};

class CodeSource : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/code", "0.1.0"), {kColumns.begin(), kColumns.end()})
        .summary("Reads source code, a document each file of a tree or of an archive (tar, also compressed), with its language (github-linguist's names), licence (SPDX), path, "
                 "and flags: large, vendored, minified, generated. Binary and empty files are dropped; notebooks become Markdown without outputs.")
        .parameter(strings("drop").defaults(std::vector<std::string>{}).about(
            "What is left out, of large, vendored, minified, generated, unknown (a language that is not known); funnel.json says how many, dropped.jsonl.zst which. What is not stands in "
            "the column 'flags', between commas."))
        .parameter(string("license").choices({"nearest", "header"}).defaults("nearest").about(
            "Where a licence is looked for: in the file alone, or also in the licence files among 'paths' or in the archive, of the nearest folder; archives are then read twice."))
        .parameter(integer("large_bytes").unit("bytes").range(1, 1 << 30).defaults(1 << 20).about("A file that has more is large."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A file that has more is refused as record_too_large."))
        .determinism("pure")
        .source("github-linguist 7.22 (names); SPDX License List; Kocetkov et al. 2022, arXiv:2211.15533 (The Stack)")
        .example("[node.code]\nplugin = \"readers/code\"\npaths  = [\"../data/code/*.tar.zst\"]\ndomain = \"code\"\ndrop   = [\"large\", \"vendored\", \"minified\", \"generated\"]\n");
  }

  explicit CodeSource(const Params& params) : FileSource(params) {
    set_columns({{kColumns[0], ""}, {kColumns[1], ""}, {kColumns[2], ""}, {kColumns[3], ""}});
    options_.nearest_license = params.string("license") == "nearest";
    options_.large_bytes = static_cast<std::size_t>(params.integer("large_bytes"));
    options_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    const std::pair<const char*, bool*> known[] = {{"large", &options_.drop_large}, {"vendored", &options_.drop_vendored}, {"minified", &options_.drop_minified}, {"generated", &options_.drop_generated},
                                                   {"unknown", &options_.drop_unknown}};
    for (const std::string& name : params.strings("drop")) {
      const auto* found = std::find_if(std::begin(known), std::end(known), [&](const auto& item) { return name == item.first; });
      if (found == std::end(known)) throw Error(Code::kInvalidArgument, "'drop' has '" + name + "', expected large, vendored, minified, generated or unknown");
      *found->second = true;
    }
  }

  void open(Open& open) override {
    FileSource::open(open);
    if (!options_.nearest_license) return;
    for (const InputFile& file : files())
      if (is_license_name(file.display)) add_license(file);
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override { return std::make_unique<CodeReader>(window, files()[part.file], licenses_, options_); }

 protected:
  bool wants_utf8() const override { return false; }  // what has zero bytes is left out as binary

 private:
  void add_license(const InputFile& file) {
    StoredFile stored(file.path);
    std::string text(kLicenseBytes + 1, '\0');
    std::size_t size = 0;
    for (std::size_t got = 1; got > 0 && size < text.size(); size += got) got = stored.read(text.data() + size, text.size() - size);
    text.resize(size);
    if (size <= kLicenseBytes && !stored.damage()) licenses_.add(file.display, text);
  }

  Options options_;
  Licenses licenses_;  ///< of the tree
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::CodeSource)
