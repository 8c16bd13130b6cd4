// readers/stackexchange: the questions of a Stack Exchange dump, each with its answers.
//
// The answers of a question stand anywhere in Posts.xml, mostly far behind it. Two passes over the file would need the places of all answers in
// memory and, in a compressed file, all text before each of them again; so the posts are sorted by their question, in files once they take more
// than `buffer_bytes`.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "external_sort.hpp"
#include "html_text.hpp"
#include "post.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/xml_records.hpp"

namespace flowrun::readers {
namespace {

struct StackexchangeOptions {
  std::optional<std::int64_t> min_score;
  bool accepted_first = true;
  std::size_t max_record_bytes = 0;
};

/// A post as it is sorted: numbers and lengths in 64 bits, then the texts.
struct PackedPost {
  std::int64_t id = 0, score = 0, accepted_answer_id = 0;
  bool wanted = true;  ///< false: a question that is left out, of which nothing but this is kept
  std::string_view title, tags, text;

  std::string pack() const {
    std::string out;
    out.reserve(sizeof(std::int64_t) * 6 + title.size() + tags.size() + text.size());
    for (const std::int64_t number : {id, score, accepted_answer_id, std::int64_t{wanted}, static_cast<std::int64_t>(title.size()), static_cast<std::int64_t>(tags.size())})
      out.append(reinterpret_cast<const char*>(&number), sizeof number);
    return out.append(title).append(tags).append(text);
  }
  static PackedPost unpack(std::string_view bytes) {
    std::int64_t numbers[6];
    std::memcpy(numbers, bytes.data(), sizeof numbers);
    const auto title_size = static_cast<std::size_t>(numbers[4]), tags_size = static_cast<std::size_t>(numbers[5]);
    bytes.remove_prefix(sizeof numbers);
    return {numbers[0], numbers[1], numbers[2], numbers[3] != 0, bytes.substr(0, title_size), bytes.substr(title_size, tags_size), bytes.substr(title_size + tags_size)};
  }
};

/// Reads all posts of a file, then gives the questions in the order of their ids.
class StackexchangeReader : public XmlRecordReader {
 public:
  StackexchangeReader(Window& window, const StackexchangeOptions& options, SortBudget& budget)
      : XmlRecordReader(window, {"<row", "<posts", "</posts"}, options.max_record_bytes), options_(&options), sort_(budget) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (!sorted_) {
      if (const Step step = XmlRecordReader::next(call, record, refusal); step != Step::kEnd) return step;
      sort_.finish(call);
      sorted_ = true;
      has_entry_ = sort_.next(entry_);
    }
    return next_question(call, record, refusal);
  }

 protected:
  std::optional<Step> read_record(const Call& call, Record& record, Refusal& refusal) override {
    static constexpr std::string_view kClosing = "</row>";
    // A row ends before the next tag, for in attributes there is no '<'; what else stands between them is refused by itself.
    std::size_t end = find(call, "<", 1);
    if (end != std::string_view::npos) {
      find(call, ">", end);
      if (window_->data().substr(end).starts_with(kClosing)) end += kClosing.size();
      if (const std::size_t last = window_->data().rfind('>', end - 1); last != std::string_view::npos) end = last + 1;
    }
    const std::size_t size = end == std::string_view::npos ? window_->data().size() : end;
    if (size > max_record_bytes_ || (end == std::string_view::npos && size == max_record_bytes_)) return refuse_too_large(call, refusal);
    take(size);
    if (end == std::string_view::npos && has_damage()) return {};
    if (const std::optional<PostFault> fault = parser_.parse(window_->data().substr(0, size), post_)) {
      refusal = refuse(fault->code, fault->message);
      return Step::kRefused;
    }
    const std::int64_t number = number_++;
    if (post_.type != Post::kQuestion && post_.type != Post::kAnswer) return leave_out(record, number, {"post_type", static_cast<double>(post_.type)});
    const bool wanted = !options_->min_score || post_.score >= *options_->min_score;
    if (post_.type == Post::kAnswer && !wanted) return leave_out(record, number, below("answer_min_score", post_.score));
    add(call, number, wanted);
    return {};
  }

 private:
  enum Kind : std::int64_t { kQuestion, kAnswer };  // a question stands before its answers

  void add(const Call& call, std::int64_t number, bool wanted) {
    const bool is_question = post_.type == Post::kQuestion;
    PackedPost packed{post_.id, post_.score, post_.accepted_answer_id, wanted, {}, {}, {}};
    text_.clear();
    if (wanted) append_html_text(post_.body, text_);
    if (wanted && is_question) packed.title = post_.title, packed.tags = post_.tags;
    packed.text = text_;
    sort_.add(call, {{is_question ? post_.id : post_.parent_id, is_question ? kQuestion : kAnswer, number}, packed.pack()});
  }

  Drop below(const char* reason, std::int64_t score) const { return {reason, static_cast<double>(score), static_cast<double>(*options_->min_score)}; }

  static Step leave_out(Record& record, std::int64_t number, Drop drop) {
    record = {number, {}, {}, {}, {}, drop};
    return Step::kDropped;
  }

  void advance() { has_entry_ = sort_.next(entry_); }

  Step next_question(const Call& call, Record& record, Refusal& refusal) {
    while (has_entry_ || !duplicates_.empty()) {
      if (++steps_ % 1024 == 0) call.check_stop();
      if (!duplicates_.empty()) {
        refusal = {duplicates_.back(), "duplicate_question", "question " + std::to_string(question_.key.group) + " stands in the file already"};
        duplicates_.pop_back();
        return Step::kRefused;
      }
      if (entry_.key.kind == kAnswer) {
        refusal = {entry_.key.number, "orphan_answer", "its question " + std::to_string(entry_.key.group) + " is not in the file"};
        advance();
        return Step::kRefused;
      }
      const bool complete = gather();
      const PackedPost question = PackedPost::unpack(question_.payload);
      if (!question.wanted) return leave_out(record, question_.key.number, below("min_score", question.score));
      if (complete) return give(question, record);
      refusal = {question_.key.number, "record_too_large", "a question that is with its answers longer than " + std::to_string(max_record_bytes_) + " bytes ('max_record_bytes')"};
      return Step::kRefused;
    }
    return Step::kEnd;
  }

  /// Takes the next question and its answers; false where they are too large to be kept.
  bool gather() {
    std::swap(question_, entry_);
    advance();
    answers_.clear();
    std::size_t bytes = question_.payload.size();
    for (; has_entry_ && entry_.key.group == question_.key.group; advance()) {
      if (entry_.key.kind == kQuestion) {
        duplicates_.push_back(entry_.key.number);
        continue;
      }
      bytes += entry_.payload.size();
      if (bytes <= max_record_bytes_) answers_.push_back(std::move(entry_));
    }
    return bytes <= max_record_bytes_;
  }

  /// Puts title, question and answers together, parted by blank lines.
  Step give(const PackedPost& question, Record& record) {
    order_.clear();
    for (const SortEntry& answer : answers_) order_.push_back(PackedPost::unpack(answer.payload));
    const auto is_first = [&](const PackedPost& answer) { return options_->accepted_first && answer.id == question.accepted_answer_id; };
    // Equal ones stay in the order of the file.
    std::stable_sort(order_.begin(), order_.end(), [&](const PackedPost& a, const PackedPost& b) { return is_first(a) != is_first(b) ? is_first(a) : a.score > b.score; });
    text_.clear();
    append_part(question.title);
    append_part(question.text);
    for (const PackedPost& answer : order_) append_part(answer.text);
    columns_ = {question.title, question.tags, question.score, static_cast<std::int64_t>(order_.size())};
    record = {question_.key.number, text_, {}, {}, columns_};
    return Step::kRecord;
  }

  void append_part(std::string_view part) {
    if (!text_.empty() && !part.empty()) text_ += "\n\n";
    text_ += part;
  }

  const StackexchangeOptions* options_;
  ExternalSort sort_;
  PostParser parser_;
  Post post_;
  std::string text_;
  SortEntry entry_, question_;  ///< entry_: the next one, where has_entry_
  std::vector<SortEntry> answers_;
  std::vector<PackedPost> order_;
  std::vector<std::int64_t> duplicates_;  ///< numbers of the rows with the id of question_
  bool sorted_ = false, has_entry_ = false;
  std::int64_t steps_ = 0;
  std::array<ColumnValue, 4> columns_;
};

class Stackexchange : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/stackexchange", "0.1.0"), {"title", "tags", "score", "answer_count"})
        .summary("Reads questions with their answers from the Posts.xml of a Stack Exchange dump, in the order of the questions' ids.")
        .parameter(integer("min_score").about(
            "Posts with a lower score are left out: a question is dropped with all its answers as `min_score`, an answer alone as `answer_min_score`; without it none is."))
        .parameter(boolean("accepted_first").defaults(true).about("Whether the accepted answer stands before the others, which follow by score."))
        .parameter(integer("buffer_bytes").unit("bytes").range(1 << 20, std::int64_t{1} << 40).defaults(256 << 20).about(
            "Posts of all files that are being read, kept in memory; beyond that they go to files without a name in TMPDIR, which may take as much room as the text."))
        .parameter(integer("max_record_bytes").unit("bytes").range(256, 1 << 30).defaults(64 << 20).about("A row, or a question with its answers, that is longer is refused as record_too_large."))
        .determinism("pure")
        .threads("Any number of units at once; files of together up to 4 MiB are one unit, a larger file is one by itself. A file gives its first document when it has been read "
                 "to its end. The id is <path>#<row from 0> of the question, rows of all kinds counted; an answer without its question is refused as orphan_answer, and what is "
                 "neither question nor answer dropped as `post_type`.")
        .source("https://archive.org/details/stackexchange (readme.txt)")
        .example("[node.answers]\nplugin = \"readers/stackexchange\"\npaths  = [\"../data/*.stackexchange.com/Posts.xml\"]\ndomain = \"stackexchange\"\nmin_score = 1\n");
  }

  explicit Stackexchange(const Params& params) : FileSource(params) {
    if (params.has("min_score")) options_.min_score = params.integer("min_score");
    options_.accepted_first = params.boolean("accepted_first");
    options_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    budget_.bytes = params.integer("buffer_bytes");
    set_columns({{"title", "", ColumnType::kString}, {"tags", "", ColumnType::kString}, {"score", "", ColumnType::kInteger}, {"answer_count", "", ColumnType::kInteger}});
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart&) const override { return std::make_unique<StackexchangeReader>(window, options_, budget_); }

 private:
  StackexchangeOptions options_;
  mutable SortBudget budget_;  ///< of all files that are being read; its count is atomic
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Stackexchange)
