// filters/pii: replaces, tags, drops or counts personal data.

#include <flowrun/node.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "finder.hpp"
#include "replacements.hpp"

namespace flowrun::filters {
namespace {

using pii::Dialect;
using pii::Kind;
using pii::kKindCount;
using pii::kKindNames;

enum class Mode { kReplace, kTag, kDrop, kScore };

// Reasons live as long as the library.
constexpr std::array<const char*, kKindCount> kReasons = {"pii_email", "pii_iban", "pii_card", "pii_ipv6", "pii_ipv4", "pii_phone"};
constexpr unsigned kDatatroveKinds = 1U << static_cast<unsigned>(Kind::kEmail) | 1U << static_cast<unsigned>(Kind::kIpv4);

Mode read_mode(const std::string& mode) { return mode == "tag" ? Mode::kTag : mode == "drop" ? Mode::kDrop : mode == "score" ? Mode::kScore : Mode::kReplace; }

std::vector<Kind> read_kinds(const std::vector<std::string>& names, Dialect dialect) {
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < kKindCount; ++i) {
    const bool known = dialect == Dialect::kFlowrun || (kDatatroveKinds >> i & 1U) != 0;
    const bool named = std::find(names.begin(), names.end(), kKindNames[i]) != names.end();
    if (named && !known) throw Error(Code::kInvalidArgument, "'kinds' names '" + std::string(kKindNames[i]) + "', but dialect = \"datatrove\" has only email and ipv4");
    if (named || (names.empty() && known)) kinds.push_back(static_cast<Kind>(i));
  }
  for (const std::string& name : names)
    if (std::find(kKindNames.begin(), kKindNames.end(), name) == kKindNames.end())
      throw Error(Code::kInvalidArgument, "'kinds' names '" + name + "', expected email, iban, card, ipv6, ipv4 or phone");
  return kinds;
}

pii::Replacements read_replacements(const Params& params, Mode mode, Dialect dialect) {
  if (mode == Mode::kTag) return pii::Replacements(pii::Replacements::tags());
  auto lists = pii::Replacements::defaults(dialect);
  for (std::size_t i = 0; i < kKindCount; ++i)
    if (auto given = params.strings((std::string(kKindNames[i]) + "_replacement").c_str()); !given.empty()) lists[i] = std::move(given);
  return pii::Replacements(std::move(lists));
}

Parameter replacement(Kind kind, const char* what) {
  return strings(std::string(kKindNames[static_cast<std::size_t>(kind)]) + "_replacement")
      .defaults(std::vector<std::string>{})
      .about(std::string("What stands for ") + what + "; of several, a hash of the match chooses one. []: the dialect's own.");
}

class Pii : public Map {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/pii", "0.1.0")
        .summary("Finds personal data in texts (e-mail and public IP addresses, phone, bank account and card numbers) and replaces it, or drops or scores the documents.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(string("mode").choices({"replace", "tag", "drop", "score"}).defaults("replace").about(
            "\"replace\": each match by something of its kind; \"tag\": by <EMAIL>, <IP_ADDRESS>, <PHONE>, <IBAN> or <CARD>; \"drop\": documents with more than `max_matches` are "
            "dropped, the reason is `pii_` and the kind of the first match; \"score\": every document is kept as it is, with the columns of `counts`."))
        .parameter(string("dialect").choices({"flowrun", "datatrove"}).defaults("flowrun").about(
            "\"datatrove\": the e-mail and IPv4 addresses that datatrove 0.10.1's PIIFormatter finds, and its replacements, though chosen by hash and not in turn."))
        .parameter(strings("kinds").defaults(std::vector<std::string>{}).about("email, iban, card, ipv6, ipv4, phone. []: all that the dialect has."))
        .parameter(boolean("only_remove_public_ips").defaults(true).about("false: also private and reserved IP addresses."))
        .parameter(integer("max_matches").min_value(0).defaults(0).about("With mode = \"drop\": this many are allowed."))
        .parameter(boolean("counts").defaults(false).about("Add a column (int64) for each kind, such as `pii.email`, with how many stood in the text."))
        .parameter(replacement(Kind::kEmail, "an e-mail address"))
        .parameter(replacement(Kind::kIban, "an IBAN"))
        .parameter(replacement(Kind::kCard, "a card number"))
        .parameter(replacement(Kind::kIpv6, "an IPv6 address"))
        .parameter(replacement(Kind::kIpv4, "an IPv4 address"))
        .parameter(replacement(Kind::kPhone, "a phone number"))
        .determinism("pure")
        .source(
            "RFC 5322 and 1035 (e-mail), IANA's special-purpose address registries, ISO 13616 and 7064 (IBAN), ISO 7812 (cards, Luhn), ITU E.164 with libphonenumber's lengths; "
            "datatrove 0.10.1, PIIFormatter")
        .example("[node.clean]\nplugin = \"filters/pii\"\nin     = \"good\"\nmode   = \"tag\"\n");
  }

  explicit Pii(const Params& params)
      : mode_(read_mode(params.string("mode"))),
        dialect_(params.string("dialect") == "datatrove" ? Dialect::kDatatrove : Dialect::kFlowrun),
        kinds_(read_kinds(params.strings("kinds"), dialect_)),
        finder_(options(params)),
        replacements_(read_replacements(params, mode_, dialect_)),
        max_matches_(params.integer("max_matches")),
        counts_(params.boolean("counts") || mode_ == Mode::kScore) {}

  void open(Open& open) override {
    schema_ = open.input();
    Field output = schema_;
    if (counts_)
      for (const Kind kind : kinds_) {
        const std::string name = "pii." + std::string(kKindNames[static_cast<std::size_t>(kind)]);
        if (schema_.find(name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + name + "' already: this filter counts a second time");
        output.children.push_back(fields::int64(name));
      }
    open.set_output(0, output);
  }

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    Rows rows = look_at(call, in);
    const bool all = static_cast<std::int64_t>(rows.kept.size()) == in.length;
    if (all && !rows.changed && !counts_) return call.retain(in).move_to(&out[0]);
    std::vector<OwnedArray> columns;
    for (std::size_t i = 0; i < schema_.children.size(); ++i) {
      if (rows.changed && schema_.children[i].name == "text") columns.push_back(rows.texts.finish());
      else columns.push_back(all ? borrow_column(*in.children[i], in.offset, in.length) : gather(*in.children[i], schema_.children[i], rows.kept, in.offset));
    }
    if (counts_)
      for (const Kind kind : kinds_) columns.push_back(make_column(rows.counts[static_cast<std::size_t>(kind)]));
    const auto length = static_cast<std::int64_t>(rows.kept.size());
    (all ? make_batch(std::move(columns), length, std::make_shared<OwnedArray>(call.retain(in))) : make_batch(std::move(columns), length)).move_to(&out[0]);
  }

 private:
  struct Rows {
    std::vector<std::int64_t> kept;
    StringBuilder texts;  ///< of the kept ones
    bool changed = false;
    std::array<std::vector<std::int64_t>, kKindCount> counts;
  };

  pii::FinderOptions options(const Params& params) const {
    unsigned kinds = 0;
    for (const Kind kind : kinds_) kinds |= 1U << static_cast<unsigned>(kind);
    return {dialect_, kinds, params.boolean("only_remove_public_ips")};
  }

  Rows look_at(const Call& call, const ArrowArray& in) const {
    const StringColumn texts = BatchView(in, schema_).strings("text");
    const bool rewrites = mode_ == Mode::kReplace || mode_ == Mode::kTag;
    Rows rows;
    pii::Matches matches;
    for (std::int64_t row = 0; row < in.length; ++row) {
      call.check_stop();
      finder_.find(texts[row], matches);
      const auto count = static_cast<std::int64_t>(matches.size());
      if (mode_ == Mode::kDrop && count > max_matches_) {
        call.drop(row, kReasons[static_cast<std::size_t>(matches.front().kind)], static_cast<double>(count), static_cast<double>(max_matches_));
        continue;
      }
      rows.kept.push_back(row);
      if (rewrites) append(texts[row], matches, row, texts, rows);
      if (counts_) add_counts(matches, rows);
    }
    return rows;
  }

  /// Texts are copied from the first changed one of a batch on, with those before it.
  void append(std::string_view text, const pii::Matches& matches, std::int64_t row, const StringColumn& texts, Rows& rows) const {
    if (!rows.changed && matches.empty()) return;
    if (!rows.changed)
      for (std::int64_t i = 0; i < row; ++i) rows.texts.append(texts[i]);
    rows.changed = true;
    if (matches.empty()) rows.texts.append(text);
    else rows.texts.append(replacements_.replace(text, matches));
  }

  void add_counts(const pii::Matches& matches, Rows& rows) const {
    for (auto& counts : rows.counts) counts.push_back(0);
    for (const pii::Match& match : matches) ++rows.counts[static_cast<std::size_t>(match.kind)].back();
  }

  const Mode mode_;
  const Dialect dialect_;
  const std::vector<Kind> kinds_;
  const pii::Finder finder_;
  const pii::Replacements replacements_;
  const std::int64_t max_matches_;
  const bool counts_;
  Field schema_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::Pii)
