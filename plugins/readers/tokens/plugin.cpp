// readers/tokens: documents that are tokens already.

#include <flowrun/node.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flowrun_shard.hpp"
#include "readers/common/stored_file.hpp"
#include "readers/common/units.hpp"
#include "token_reader.hpp"

namespace flowrun::readers {
namespace {

/// One file that holds everything, or a .bin file with its index.
struct TokenFile {
  enum class Format { kMegatron, kRaw, kFlowrun, kJsonl } format = Format::kJsonl;
  InputFile data;           ///< the .bin, .safetensors or .jsonl file; documents are named after it
  std::string index_path;   ///< of a .bin file
  std::int64_t bytes = 0;   ///< of the data
};

/// Returns whether a name says JSON Lines. How they are compressed is told by content.
bool is_jsonl(std::string_view name) {
  for (const std::string_view suffix : {".gz", ".zst", ".xz", ".bz2", ".lz4"})
    if (name.ends_with(suffix)) {
      name.remove_suffix(suffix.size());
      break;
    }
  return name.ends_with(".jsonl");
}

/// What all cursors share.
struct Files {
  std::vector<TokenFile> files;
  std::string domain;
  std::optional<std::uint32_t> endoftext_id;
  bool gives_endoftext = false, with_labels = false;
  std::vector<Field> columns;  ///< beside those of all tokens: labels, or what shards bring
  std::size_t max_record_bytes = 0;
  std::int64_t batch_bytes = 0, batch_documents = 0;
};

/// Builds one batch of tokens.
class Batch {
 public:
  explicit Batch(const Files& files) : files_(&files), columns_(files.columns.begin(), files.columns.end()) {
    constexpr std::int64_t kMost = 1 << 20;  // beyond it grows as it is filled
    input_ids_.reserve(static_cast<std::size_t>(std::min(files.batch_bytes, kMost)) / sizeof(std::uint32_t));
  }

  bool must_end_before(std::int64_t tokens) const noexcept { return ids_.length() > 0 && token_bytes(tokens) > files_->batch_bytes; }
  bool full() noexcept {
    return ids_.length() >= files_->batch_documents || token_bytes(static_cast<std::int64_t>(input_ids_.values().size())) >= files_->batch_bytes;
  }
  /// Appends a record that `reader` has just given.
  void append(std::string_view id, std::string_view domain, const TokenRecord& record, TokenReader& reader) {
    ids_.append(id);
    domains_.append(domain);
    bytes_.push_back(record.bytes);
    input_ids_.append(record.input_ids);
    reader.append_columns(record, columns_);
  }
  OwnedArray finish() {
    const std::int64_t rows = ids_.length();
    std::vector<OwnedArray> columns;
    columns.push_back(ids_.finish());
    columns.push_back(domains_.finish());
    columns.push_back(make_column(bytes_));
    columns.push_back(input_ids_.finish());
    if (files_->gives_endoftext) columns.push_back(make_column(std::vector<std::uint32_t>(static_cast<std::size_t>(rows), *files_->endoftext_id)));
    for (ValueBuilder& column : columns_) columns.push_back(column.finish());
    return make_batch(std::move(columns), rows);
  }

 private:
  static std::int64_t token_bytes(std::int64_t tokens) noexcept { return tokens * static_cast<std::int64_t>(sizeof(std::uint32_t)); }

  const Files* files_;
  StringBuilder ids_, domains_;
  std::vector<std::int64_t> bytes_;
  ListBuilder input_ids_;
  std::vector<ValueBuilder> columns_;
};

/// Reads the files of one unit, one after another.
class TokensCursor : public Cursor {
 public:
  TokensCursor(const Files& files, Unit unit) : files_(&files), next_file_(unit.first), end_file_(unit.first + unit.count) {}

  bool next(const Call& call, OwnedArray& out) override {
    call.check_stop();
    Batch batch(*files_);
    const bool ended = fill(call, batch);
    out = batch.finish();
    return ended;
  }

 private:
  /// Adds documents until the batch is full (false) or the unit has ended (true).
  bool fill(const Call& call, Batch& batch) {
    while (!batch.full()) {
      if (!pending_ && !find_record(call)) return true;
      if (batch.must_end_before(static_cast<std::int64_t>(record_.input_ids.size()))) return false;
      batch.append(record_.id ? *record_.id : file().data.display + '#' + std::to_string(record_.number), record_.domain.value_or(files_->domain), record_, *reader_);
      pending_ = false;
    }
    return false;
  }

  /// Goes to the next good document; false at the end of the unit.
  bool find_record(const Call& call) {
    while (next_file_ != end_file_) {
      try {
        if (!reader_) reader_ = open_file(call);
        if (take_record(call)) return true;
      } catch (const Error& error) {
        if (error.code() != Code::kCorruptData && error.code() != Code::kUnsupported) throw;
        report_damage(call, error);
      }
      reader_.reset();
      ++next_file_;
    }
    return false;
  }

  bool take_record(const Call& call) {
    TokenRefusal refusal;
    while (true) {
      switch (reader_->next(call, record_, refusal)) {
        case TokenReader::Step::kEnd: return false;
        case TokenReader::Step::kRefused: report(call, refusal); break;
        case TokenReader::Step::kRecord:
          if (files_->endoftext_id && !record_.input_ids.empty() && record_.input_ids.back() == *files_->endoftext_id) {
            record_.input_ids.pop_back();
            if (!record_.labels.empty()) record_.labels.pop_back();
          }
          return pending_ = true;
      }
    }
  }

  const TokenFile& file() const { return files_->files[next_file_]; }

  std::unique_ptr<TokenReader> open_file(const Call& call) const {
    switch (file().format) {
      case TokenFile::Format::kMegatron: return read_megatron(file().index_path, file().data.path);
      case TokenFile::Format::kRaw: return read_raw(file().index_path, file().data.path);
      case TokenFile::Format::kFlowrun: return read_flowrun(file().data.path);
      case TokenFile::Format::kJsonl: break;
    }
    return read_jsonl(call, file().data.path, files_->with_labels, files_->max_record_bytes);
  }

  void report(const Call& call, const TokenRefusal& refusal) const {
    flowrun_record_error error{};
    error.status = FLOWRUN_CORRUPT_DATA;
    error.code = refusal.code;
    error.message = refusal.message.c_str();
    error.file = file().data.display.c_str();
    error.record = refusal.number;
    error.offset = refusal.offset;
    error.documents = 1;
    call.record_error(error);
  }

  void report_damage(const Call& call, const Error& reason) const {
    flowrun_record_error error{};
    error.status = static_cast<flowrun_status>(reason.code());
    error.code = "damaged_tokens";
    error.message = reason.what();
    error.file = file().data.display.c_str();
    error.record = -1;
    const auto* damage = dynamic_cast<const DamageAt*>(&reason);
    error.offset = damage == nullptr ? -1 : damage->offset();
    error.file_bytes = file().bytes;
    call.record_error(error);
  }

  const Files* files_;
  std::size_t next_file_, end_file_;
  std::unique_ptr<TokenReader> reader_;  ///< of file next_file_, where one is open
  TokenRecord record_;
  bool pending_ = false;  ///< record_ waits for a batch
};

class Tokens : public Source {
 public:
  static Descriptor descriptor() {
    return Descriptor("readers/tokens", "0.1.0")
        .summary("Reads documents of tokens: Megatron-LM's .bin with .idx, plain numbers (.bin with .json) and safetensors files of writers/token_shards, or JSON Lines with 'input_ids'.")
        .output({"out", "tokens"})
        .parameter(paths("paths").required().about(
            "Files, by globs, read in the order of their names; of a .bin file its index as well, as in \"shards/*\". A .jsonl file may be .gz, .zst, .xz, .bz2 or .lz4; its keys are "
            "input_ids, labels, id, domain, bytes. Shards in safetensors bring ids, domains and all columns; where they bring some, all files must bring the same."))
        .parameter(string("domain").defaults("").about("The domain of documents that bring none."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends documents in the files: it is left out, because a packer adds its own, and goes along with the tokens for that packer. Without it tokens stay as they are. Shards in safetensors hold none."))
        .parameter(boolean("labels").defaults(false).about("Whether documents keep the 'labels' of JSON Lines, one for each token; all files must then have them."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A longer line of JSON is refused as record_too_large."))
        .determinism("pure")
        .threads("Any number of units at once; files of together up to 4 MiB are one unit, a larger file is one by itself.")
        .source("Megatron-LM, megatron/core/datasets/indexed_dataset.py (megatron-core 0.16.1): index version 1; https://jsonlines.org; https://huggingface.co/docs/safetensors")
        .example("[node.tokens]\nplugin = \"readers/tokens\"\npaths  = [\"../data/shards/*\"]\nendoftext_id = 0\n");
  }

  explicit Tokens(const Params& params) {
    state_.domain = params.string("domain");
    if (params.has("endoftext_id")) state_.endoftext_id = static_cast<std::uint32_t>(params.integer("endoftext_id"));
    // What joins documents takes 0 where tokens say nothing.
    state_.gives_endoftext = state_.endoftext_id.value_or(0) != 0;
    state_.with_labels = params.boolean("labels");
    state_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    find_files(params.files("paths"));
    std::vector<std::int64_t> sizes;
    for (const TokenFile& file : state_.files) sizes.push_back(file.bytes);
    units_ = group_units(sizes);
  }

  void open(Open& open) override {
    state_.batch_bytes = open.batch_bytes();
    state_.batch_documents = open.batch_documents();
    Field schema = fields::tokens();
    if (state_.gives_endoftext) schema.children.push_back(fields::uint32("endoftext_id"));
    state_.columns = state_.with_labels ? std::vector<Field>{{"labels", "+l", false, {fields::int64("item")}}} : find_shard_columns();
    schema.children.insert(schema.children.end(), state_.columns.begin(), state_.columns.end());
    open.set_output(0, schema);
  }

  std::int64_t unit_count() override { return static_cast<std::int64_t>(units_.size()); }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override { return std::make_unique<TokensCursor>(state_, units_.at(static_cast<std::size_t>(unit))); }

 private:
  /// Puts .bin files and their indices together. Both must be among the paths, because the digests of those decide whether a cached result is still good.
  void find_files(const std::vector<InputFile>& inputs) {
    std::map<std::string, std::string> displays;  // by absolute path
    for (const InputFile& input : inputs) displays.emplace(input.path, input.display);
    for (const InputFile& input : inputs) {
      if (is_jsonl(input.path)) {
        add({TokenFile::Format::kJsonl, input, "", 0});
        continue;
      }
      const std::size_t dot = input.path.rfind('.');
      const std::string stem = input.path.substr(0, dot), suffix = dot == std::string::npos ? "" : input.path.substr(dot);
      const bool has_idx = displays.contains(stem + ".idx"), has_json = displays.contains(stem + ".json");
      if (state_.with_labels) throw Error(Code::kInvalidArgument, "'labels' is set, but " + input.display + " is no file of JSON Lines, which alone has a key of that name");
      if (suffix == ".safetensors") {
        if (state_.endoftext_id) throw Error(Code::kInvalidArgument, "'endoftext_id' is set, but " + input.display + " holds tokens without an end, expected shards of another format");
        add({TokenFile::Format::kFlowrun, input, "", 0});
      } else if (suffix == ".bin") {
        if (has_idx == has_json)
          throw Error(Code::kInvalidArgument, input.display + (has_idx ? " has two indices, .idx and .json, expected one" : " has no index among 'paths', expected its .idx or .json as well, as in \"shards/*\""));
        add({has_idx ? TokenFile::Format::kMegatron : TokenFile::Format::kRaw, input, stem + (has_idx ? ".idx" : ".json"), 0});
      } else if (suffix != ".idx" && suffix != ".json") {
        throw Error(Code::kInvalidArgument, input.display + " has a name that says no format, expected .bin with .idx or .json, .safetensors, or .jsonl, maybe with .gz, .zst, .xz, .bz2 or .lz4");
      } else if (!displays.contains(stem + ".bin")) {
        throw Error(Code::kInvalidArgument, input.display + " is an index without its .bin file among 'paths', expected both, as in \"shards/*\"");
      }
    }
  }

  /// Returns the columns of the shards, by the first whose header can be read: a damaged one is reported when its turn to be read comes.
  std::vector<Field> find_shard_columns() const {
    const TokenFile* first = nullptr;
    std::vector<Field> columns;
    for (const TokenFile& file : state_.files) {
      std::vector<Field> found;
      try {
        if (file.format == TokenFile::Format::kFlowrun) found = read_shard_columns(file.data.path);
      } catch (const DamageAt&) {
        continue;
      }
      if (first == nullptr) columns = found;
      else if (found != columns)
        throw Error(Code::kInvalidArgument, file.data.display + " has the columns " + names_of(found) + ", expected those of " + first->data.display + ": " + names_of(columns));
      if (first == nullptr) first = &file;
    }
    return columns;
  }

  static std::string names_of(const std::vector<Field>& columns) {
    std::string names;
    for (const Field& column : columns) names += (names.empty() ? "'" : ", '") + column.name + "' (" + column.format + (column.nullable ? ", nullable)" : ")");
    return names.empty() ? "(none)" : names;
  }

  void add(TokenFile file) {
    file.bytes = stored_bytes(file.data.path);
    state_.files.push_back(std::move(file));
  }

  Files state_;
  std::vector<Unit> units_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Tokens)
