// readers/latex: the LaTeX sources of papers, as arXiv keeps them.

#include <algorithm>
#include <array>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "latex_text.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/tar_reader.hpp"
#include "readers/common/utf8.hpp"
#include "tex_paper.hpp"

namespace flowrun::readers {
namespace {

constexpr std::array kColumns = {"path", "title", "authors", "abstract"};

struct Limits {
  std::size_t paper_bytes = 0;
  bool read_fragments = false;
};

/// Reads a whole file, decompressed. Nothing where it is damaged or has more than `limit` bytes.
std::optional<std::string> read_whole(const Call& call, const std::string& path, std::size_t limit) {
  StoredFile file(path);
  Window window(call, file);
  while (window.extend(call))
    if (window.data().size() > limit) return std::nullopt;
  if (file.damage()) return std::nullopt;
  return std::string(window.data());
}

std::string without_suffix(std::string name, std::string_view suffix) {
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

/// What `paths` found, by display name, so that a file can name another; nothing else on the disk is read. It takes 16 bytes a file.
class KnownFiles {
 public:
  explicit KnownFiles(const std::vector<InputFile>& files) : files_(&files) {
    places_.reserve(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) places_.push_back({hash(normal_name(files[i].display)), i});
    std::sort(places_.begin(), places_.end());
  }
  /// Returns the file of that name, as `normal_name` gives it; the first of several; null where there is none.
  const InputFile* find(const std::string& name) const {
    for (auto it = std::lower_bound(places_.begin(), places_.end(), Place{hash(name), 0}); it != places_.end() && it->hash == hash(name); ++it)
      if (normal_name((*files_)[it->file].display) == name) return &(*files_)[it->file];
    return nullptr;
  }

 private:
  struct Place {
    std::size_t hash, file;
    auto operator<=>(const Place&) const = default;
  };
  static std::size_t hash(std::string_view name) noexcept { return std::hash<std::string_view>()(name); }

  const std::vector<InputFile>* files_;
  std::vector<Place> places_;
};

/// Reads one file: a paper by itself, an archive that is one paper, or an archive of papers' archives (*.gz).
class LatexReader : public RecordReader {
 public:
  LatexReader(Window& window, const InputFile& file, const KnownFiles& known, const LatexOptions& options, const Limits& limits)
      : window_(&window), file_(&file), known_(&known), options_(&options), limits_(limits) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    constexpr std::size_t kHeaderBytes = 512;
    if (state_ == State::kStart) {
      while (window_->data().size() < kHeaderBytes && window_->extend(call)) {
      }
      const bool archive = looks_like_tar(window_->data()) || is_tar_name();
      state_ = archive ? State::kArchive : State::kEnd;
      if (!archive) return read_single(call, record, refusal);
      tar_ = std::make_unique<TarReader>(*window_);
    }
    return state_ == State::kArchive ? read_archive(call, record, refusal) : Step::kEnd;
  }

 private:
  enum class State { kStart, kArchive, kEnd };

  bool is_tar_name() const {
    const std::string_view path = file_->path;
    return path.ends_with(".tar") || path.find(".tar.") != std::string_view::npos;
  }

  // ---------------------------------------------------------------- one file of TeX
  Step read_single(const Call& call, Record& record, Refusal& refusal) {
    while (window_->data().size() <= limits_.paper_bytes && window_->extend(call)) {
    }
    if (window_->data().size() > limits_.paper_bytes) return refuse(refusal, "paper_too_large", too_large());
    if (window_->file().damage() || window_->data().empty()) return Step::kEnd;
    std::string text(window_->data());
    if (!decode_tex(text)) return refuse_utf8(refusal, file_->display, text);
    if (!is_main_file(text) && !limits_.read_fragments) {
      record = {number_++, window_->data(), {}, {}, {}, {"fragment"}};
      return Step::kDropped;
    }
    const std::string main = normal_name(name_of_single());
    TexFiles files;
    files[main] = std::move(text);
    std::map<std::string, std::shared_ptr<const std::string>> cache;
    std::size_t budget = limits_.paper_bytes;
    const auto find = [&](const std::string& name) -> std::shared_ptr<const std::string> {
      auto& kept = cache[name];
      if (kept) return kept;
      if (name == main) return kept = std::make_shared<const std::string>(files[main]);
      const InputFile* known = known_->find(name);
      if (known == nullptr) return nullptr;
      auto part = read_whole(call, known->path, budget);
      if (!part || !decode_tex(*part)) return nullptr;
      budget -= part->size();
      return kept = std::make_shared<const std::string>(std::move(*part));
    };
    return convert(call, main, find, file_->display, record, refusal);
  }

  /// Returns the name of the file without the suffix of a compression, so that others can be found beside it.
  std::string name_of_single() const {
    std::string name = file_->display;
    if (window_->file().is_plain()) return name;
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos ? name : name.substr(0, dot);
  }

  // ---------------------------------------------------------------- archives
  Step read_archive(const Call& call, Record& record, Refusal& refusal) {
    TarMember member;
    TarDamage damage;
    while (true) {
      switch (tar_->next(call, member, damage)) {
        case TarReader::Step::kEnd: return finish_archive(call, record, refusal);
        case TarReader::Step::kDamaged:
          damaged_ = true;
          refusal = {-1, "damaged_tar", damage.message + ", at byte " + std::to_string(damage.position) + " of the archive", window_->file().is_plain() ? damage.position : -1, 0, 0, damage.bytes};
          return Step::kRefused;
        case TarReader::Step::kFile:
          if (const auto step = read_member(call, member, record, refusal)) return *step;
      }
    }
  }

  /// Takes a file of the archive; gives a step where it is a paper by itself.
  std::optional<Step> read_member(const Call& call, const TarMember& member, Record& record, Refusal& refusal) {
    const bool nested = member.name.ends_with(".gz");
    if (!nested && !is_tex_name(member.name)) return std::nullopt;
    const std::size_t limit = nested ? limits_.paper_bytes : limits_.paper_bytes - std::min(bytes_, limits_.paper_bytes);
    const TarReader::Content content = tar_->read(call, content_, limit);
    if (content == TarReader::Content::kCut) {
      damaged_ = true;  // the next call of the archive says why
      return std::nullopt;
    }
    if (nested) return content == TarReader::Content::kTooLarge ? refuse(refusal, "paper_too_large", member.name + ": " + too_large()) : read_nested(call, member.name, record, refusal);
    if (content == TarReader::Content::kTooLarge) too_large_ = true;
    else bytes_ += content_.size();
    if (!too_large_) files_[normal_name(member.name)] = std::exchange(content_, {});
    return std::nullopt;
  }

  /// Reads a paper that is a gzip file within the archive: an archive itself, or one file.
  Step read_nested(const Call& call, const std::string& name, Record& record, Refusal& refusal) {
    std::string bytes, reason;
    if (!gunzip(content_, limits_.paper_bytes, bytes, reason)) return refuse(refusal, "damaged_gzip", name + ": the gzip data cannot be read (" + reason + ")");
    TexFiles files;
    const std::string stem = without_suffix(without_suffix(name, ".gz"), ".tar");
    if (!looks_like_tar(bytes)) {
      files[normal_name(stem)] = std::move(bytes);
      return read_paper(call, files, name, record, refusal);
    }
    TarReader tar{std::string_view(bytes)};
    TarMember member;
    TarDamage damage;
    std::string text;
    for (TarReader::Step step; (step = tar.next(call, member, damage)) != TarReader::Step::kEnd;) {
      if (step == TarReader::Step::kDamaged) return refuse(refusal, "damaged_tar", name + ": " + damage.message);
      if (!is_tex_name(member.name)) continue;
      if (tar.read(call, text, limits_.paper_bytes) == TarReader::Content::kWhole) files[normal_name(member.name)] = std::move(text);
    }
    return read_paper(call, files, name, record, refusal);
  }

  Step finish_archive(const Call& call, Record& record, Refusal& refusal) {
    state_ = State::kEnd;
    // A paper whose archive is damaged may lack any of its files: the damage is reported, the paper is not given.
    if (damaged_ || window_->file().damage()) return Step::kEnd;
    if (too_large_) return refuse(refusal, "paper_too_large", too_large());
    if (files_.empty() && number_ > 0) return Step::kEnd;
    const bool any_tex = std::any_of(files_.begin(), files_.end(), [](const auto& file) { return file.first.ends_with(".tex") || is_main_file(file.second); });
    if (number_ > 0 && !any_tex) return Step::kEnd;
    return read_paper(call, files_, "", record, refusal);
  }

  Step read_paper(const Call& call, TexFiles& files, const std::string& name, Record& record, Refusal& refusal) {
    const std::string main = find_main_file(files);
    const std::string where = name.empty() ? file_->display : name;
    if (main.empty()) return refuse(refusal, "no_main_file", where + ": none of " + std::to_string(files.size()) + " files of TeX is a main file, expected one with \\documentclass");
    for (auto& [file, text] : files)
      if (!decode_tex(text) && file == main) return refuse_utf8(refusal, where + "/" + file, text);
    const auto find = [&files](const std::string& wanted) -> std::shared_ptr<const std::string> {
      const auto found = files.find(wanted);
      if (found == files.end() || find_invalid_utf8(found->second) != std::string_view::npos) return nullptr;
      return {std::shared_ptr<void>(), &found->second};  // the files live until the paper is converted
    };
    return convert(call, main, find, name.empty() ? main : name == main + ".gz" ? name : name + "/" + main, record, refusal);
  }

  // ---------------------------------------------------------------- both
  Step convert(const Call& call, const std::string& main, const FindTex& find, std::string path, Record& record, Refusal& refusal) {
    document_ = {};
    path_ = std::move(path);
    if (auto fault = latex_to_text(main, find, *options_, document_)) return refuse(refusal, fault->code, path_ + ": " + fault->message);
    if (!document_.missing.empty())
      call.log(FLOWRUN_LOG_INFO, file_->display + ": " + path_ + " names " + std::to_string(document_.missing.size()) + " files that are not there, the first '" + document_.missing[0] + "'");
    columns_ = {path_, document_.title, document_.authors, document_.abstract};
    record = {number_++, document_.text, std::nullopt, std::nullopt, columns_};
    return Step::kRecord;
  }

  Step refuse(Refusal& refusal, const char* code, std::string message) {
    refusal = {number_++, code, std::move(message)};
    return Step::kRefused;
  }
  Step refuse_utf8(Refusal& refusal, const std::string& name, const std::string& text) {
    return refuse(refusal, "bad_utf8", name + ": invalid UTF-8 at byte " + std::to_string(find_invalid_utf8(text)) + ", and no encoding that \\usepackage[...]{inputenc} names is known");
  }
  std::string too_large() const { return "a paper of more than " + std::to_string(limits_.paper_bytes) + " bytes ('max_paper_bytes')"; }

  Window* window_;
  const InputFile* file_;
  const KnownFiles* known_;
  const LatexOptions* options_;
  Limits limits_;
  State state_ = State::kStart;
  std::unique_ptr<TarReader> tar_;
  TexFiles files_;         ///< of the paper that the archive itself is
  std::size_t bytes_ = 0;  ///< of these
  bool too_large_ = false, damaged_ = false;
  std::string content_, path_;
  LatexDocument document_;
  std::array<ColumnValue, kColumns.size()> columns_;
  std::int64_t number_ = 0;
};

class Latex : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/latex", "0.1.0"), {kColumns.begin(), kColumns.end()})
        .summary("Reads papers from their LaTeX sources, as text: an archive (tar, also compressed) is one paper, an archive of *.gz as many as it has of these, a file with "
                 "\\documentclass one by itself, joined with what it inputs from 'paths'. Macros are expanded, comments cut, headings written as Markdown's.")
        .parameter(string("math").choices({"keep", "drop"}).defaults("keep").about("Whether formulas stay, as LaTeX with the paper's own macros expanded."))
        .parameter(boolean("captions").defaults(true).about("Whether captions of figures and tables stay; the rest of these never does."))
        .parameter(string("bibliography").choices({"keep", "drop"}).defaults("drop").about("Whether the list of references stays."))
        .parameter(string("citations").choices({"mark", "drop"}).defaults("mark").about("Whether [cite] and [ref] stand where the paper cites and refers."))
        .parameter(string("fragments").choices({"read", "drop"}).defaults("drop").about(
            "What is done with a file by itself that is not made to be run (no \\documentclass, no \\bye): it is read, or dropped as `fragment`; others may still input it."))
        .parameter(integer("max_paper_bytes").unit("bytes").range(1024, 1 << 30).defaults(64 << 20).about("A paper whose TeX files have more together is refused as paper_too_large."))
        .parameter(integer("max_expanded_bytes").unit("bytes").range(1024, 1 << 30).defaults(64 << 20).about(
            "A paper whose macros and inputs expand to more is refused as too_much_expansion."))
        .determinism("pure")
        .source("https://info.arxiv.org/help/submit_tex.html, .../00README.html; The TeXbook; LaTeX2e: an unofficial reference manual")
        .example("[node.papers]\nplugin = \"readers/latex\"\npaths  = [\"../data/arxiv/*.tar\"]\ndomain = \"papers\"\nmath   = \"keep\"\n");
  }

  explicit Latex(const Params& params) : FileSource(params), known_(files()) {
    set_columns({{kColumns[0], ""}, {kColumns[1], ""}, {kColumns[2], ""}, {kColumns[3], ""}});
    options_.keep_math = params.string("math") == "keep";
    options_.captions = params.boolean("captions");
    options_.bibliography = params.string("bibliography") == "keep";
    options_.mark_citations = params.string("citations") == "mark";
    options_.max_expanded_bytes = static_cast<std::size_t>(params.integer("max_expanded_bytes"));
    limits_ = {static_cast<std::size_t>(params.integer("max_paper_bytes")), params.string("fragments") == "read"};
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override {
    return std::make_unique<LatexReader>(window, files()[part.file], known_, options_, limits_);
  }

 private:
  LatexOptions options_;
  Limits limits_;
  KnownFiles known_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Latex)
