// mixers/weighted: documents of all domains in one order, each domain with its share of the tokens. The formulas are in shares.hpp, the order in
// schedule.hpp, which documents take part in selection.hpp, and the stages of a curriculum in stage_parameters.hpp.

#include <flowrun/dataset.hpp>
#include <flowrun/nearest.hpp>
#include <flowrun/node.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "measured_weights.hpp"
#include "mixers/common/number_column.hpp"
#include "mixture.hpp"
#include "selection.hpp"
#include "shares.hpp"
#include "stage_parameters.hpp"

namespace flowrun::mixers {
namespace {

constexpr const char* kIndexFile = "/domains.bin";
constexpr const char* kMixtureFile = "/mixture.json";
constexpr std::int64_t kRowsAtOnce = 65536;  ///< of the input's index
constexpr int kHorizonEpochs = 4;            ///< of a mixture without end: so far its index knows every position; few train on more (Muennighoff et al. 2023)
constexpr std::int64_t kTokensMax = std::int64_t{1} << 62;

using Weights = std::map<std::string, double>;

std::string stage_field(std::size_t number, const char* field) { return "stages[" + std::to_string(number) + "]." + field; }

/// A domain that is not named has no proportion: where all that are named have 0, nothing is left whatever the input is.
void check_proportions(const Weights& proportions, const std::string& name) {
  if (std::none_of(proportions.begin(), proportions.end(), [](const auto& entry) { return entry.second > 0; }))
    throw Error(Code::kInvalidArgument, "'" + name + "' leaves every domain out, expected one above 0");
}

void check_weights(const Weights& weights, const std::string& name) {
  for (const auto& [domain, weight] : weights)
    if (!std::isfinite(weight) || weight < 0)
      throw Error(Code::kInvalidArgument, "the weight of '" + domain + "' in '" + name + "' is " + json::number(weight) + ", expected a finite number of at least 0");
}

/// What the columns of the input say of the documents that take part.
struct Columns {
  std::vector<double> quality_sums;                                 ///< by domain
  std::map<std::string, std::vector<std::vector<double>>> orders;   ///< a number for each slot of each domain, by column
};

class Weighted : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("mixers/weighted", "0.2.0")
        .summary("Mixes the documents of all domains, so that domain i has the share w_i |D_i| / sum_j w_j |D_j| of the tokens, to within one document at every point.")
        .input(Port("in", "tokens", Edge::kDataset).needs_end())
        .input(Port("weights_from", "mixture_weights", Edge::kArtifact).optional())
        .output(Port("out", "tokens", Edge::kDataset).endless_without({"epochs", "tokens", "stages"}))
        .parameter(numbers_by_key("weights").names_domains(1).range(0, 1e9).about("The weight of each domain; one that is not named has 1, and 0 leaves a domain out."))
        .parameter(numbers_by_key("proportions").names_domains(0).range(0, 1e9).about(
            "The share of each domain in parts or percent, whatever the domains' sizes: P(i) = p_i / sum_j p_j, instead of `weights`. One that is not named is left out."))
        .parameter(number("epochs").range(1e-6, 1e6).about("How often all tokens of the domains that take part are drawn, above 0; without it and `tokens` there is no end."))
        .parameter(integer("tokens").unit("tokens").range(1, static_cast<double>(std::int64_t{1} << 53)).about("The tokens of the whole mixture, instead of `epochs`."))
        .parameter(number("temperature").defaults(1.0).range(1e-3, 1e9).about(
            "T of w_i |D_i|^(1/T): 1 keeps the domains' sizes, larger ones even them out; 1/T is the alpha of multilingual models."))
        .parameter(boolean("unimax").defaults(false).about("Gives every domain the same budget (times its weight), as far as `max_epochs` allows."))
        .parameter(number("max_epochs").range(1e-6, 1e6).about(
            "The most epochs of any domain, over each document once; what a domain at its cap leaves goes to the others. Needs `tokens` or `epochs`, and ends "
            "early where all domains are at their cap."))
        .parameter(string("quality_column").names_columns().about("A column of scores: each domain's weight is multiplied by its mean over the domain's documents."))
        .parameter(string("repeat_column").names_columns().about("A column of scores that decides how often one pass gives a document, by `repetitions`."))
        .parameter(numbers_by_key("repetitions").range(0, 1000).about(
            "By the least score, as in { \"0.5\" = 2, \"0.8\" = 3.5 }: the highest one that a document reaches counts, below all it stands once. A fraction is one "
            "more for that part of the documents, by a hash of the id; |D_i| counts repetitions."))
        .parameter(numbers_by_key("sample_fraction").names_domains(1).range(0, 1).about(
            "The part of a domain's documents that takes part, by domain; by a hash of the id, so that a larger fraction only adds documents. One not named has 1."))
        .parameter(string("order_by").names_columns().about("A column, `bytes` or `length` (tokens): of what a pass of a domain has left, a stage takes the documents with the smallest numbers, in rising order; needs an end."))
        .parameter(boolean("descending").defaults(false).about("Turns `order_by` round: the largest numbers, in falling order."))
        .parameter(missing_scores())
        .parameter(integer("tokens_per_step").unit("tokens").range(1, static_cast<double>(std::int64_t{1} << 53)).about("Batch size x sequence length: makes tokens of a stage's `steps`."))
        .parameter(tables("stages")
                       .field(number("fraction").range(0, 1).about("Its part of all tokens."))
                       .field(integer("steps").unit("steps").range(1, static_cast<double>(std::int64_t{1} << 53)).about("Its size in steps of `tokens_per_step` tokens."))
                       .field(integer("tokens").unit("tokens").range(1, static_cast<double>(std::int64_t{1} << 53)).about("Its size in tokens."))
                       .field(numbers_by_key("weights").names_domains(1).range(0, 1e9).about("Its weights, instead of the node's."))
                       .field(numbers_by_key("proportions").names_domains(0).range(0, 1e9).about("Its proportions, instead of the node's."))
                       .field(string("order_by").names_columns().about("Its order, instead of the node's."))
                       .field(boolean("descending").defaults(false).about("Turns its `order_by` round."))
                       .field(integer("sequence_length").unit("tokens").range(2, 1 << 24).about("The length of the stage's sequences, which must divide that of the packer (packers/concat, packers/best_fit): a step then has as many tokens in every stage."))
                       .about("A curriculum: stages one after another, each of one size (the last takes what is left). Rows then have a column `stage`, from 0. A stage "
                              "goes on in each domain where the one before has left off."))
        .at_most_one_of({"weights", "weights_from", "proportions"})
        .at_most_one_of({"epochs", "tokens"})
        .at_most_one_of({"stages", "max_epochs"})
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source(
            "P(i) = w_i |D_i| / sum_j w_j |D_j| with tokens for |D_i|. Order: Bennett and Zhang 1996, WF2Q, with proof and bound in schedule.hpp. Temperature: Arivazhagan et al. "
            "2019, arXiv:1907.05019. UniMax: Chung et al. 2023, arXiv:2304.09151, algorithm 1. Shuffling: a Feistel permutation of each pass of each domain (philox.hpp). "
            "The index holds 12 bytes a document and 16 bytes a domain for every 256 documents given: 26 MB, made in 39 MiB, for 10^9 tokens in 2 million documents.")
        .example(
            "[node.mix]\nplugin  = \"mixers/weighted\"\nin      = \"train_tokens\"\ntokens  = 2_000_000\nweights = { books = 1.0, web = 2.0 }\n\n"
            "[[node.mix.stages]]              # the shortest documents first\nfraction = 0.2\norder_by = \"length\"\n\n"
            "[[node.mix.stages]]              # what is left, with more books\nweights  = { books = 4.0 }\n");
  }

  explicit Weighted(const Params& params)
      : weights_(params.numbers_by_key("weights")),
        epochs_(params.number_or("epochs", 0)),
        tokens_(params.integer_or("tokens", 0)),
        temperature_(params.number("temperature")),
        unimax_(params.boolean("unimax")),
        max_epochs_(params.number_or("max_epochs", 0)),
        quality_column_(params.string_or("quality_column", "")),
        repeat_column_(params.string_or("repeat_column", "")),
        missing_scores_(params.numbers_by_key("missing_scores")),
        sample_fraction_(params.numbers_by_key("sample_fraction")),
        selection_(sample_fraction_, params.numbers_by_key("repetitions")),
        tokens_per_step_(params.integer_or("tokens_per_step", 0)),
        has_stages_(!params.tables("stages").empty()),
        stages_(read_stages(params)) {
    check_weights(weights_, "weights");
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      if (stages_[s].weights) check_weights(*stages_[s].weights, stage_field(s, "weights"));
      if (!stages_[s].proportions) continue;
      const std::string name = has_stages_ && !params.has("proportions") ? stage_field(s, "proportions") : "proportions";
      check_weights(*stages_[s].proportions, name);
      check_proportions(*stages_[s].proportions, name);
    }
    check_missing_scores(missing_scores_, named_columns());
    if (params.has("epochs") && !(std::isfinite(epochs_) && epochs_ > 0))
      throw Error(Code::kInvalidArgument, "'epochs' is " + json::number(epochs_) + ", expected a finite number above 0");
    if (params.has("max_epochs") && epochs_ == 0 && tokens_ == 0) throw Error(Code::kInvalidArgument, "'max_epochs' needs 'tokens' or 'epochs': a cap is a part of all that is drawn");
    if (unimax_ && max_epochs_ == 0) throw Error(Code::kInvalidArgument, "'unimax' needs 'max_epochs': without a cap, equal budgets are a very large 'temperature'");
    if (unimax_ && temperature_ != 1) throw Error(Code::kInvalidArgument, "'unimax' gives equal budgets, for which 'temperature' = " + json::number(temperature_) + " means nothing");
    if (repeat_column_.empty() != params.numbers_by_key("repetitions").empty())
      throw Error(Code::kInvalidArgument, "'repeat_column' and 'repetitions' need each other, found only " + std::string(repeat_column_.empty() ? "'repetitions'" : "'repeat_column'"));
    if (epochs_ == 0) stage_ends(stages_, tokens_ > 0 ? tokens_ : -1, tokens_per_step_);  // with epochs only the input says how many tokens there are
  }

  void open(Open& open) override {
    seed_ = open.seed();
    selection_.set_seed(seed_);
    measured_folder_ = open.artifact("weights_from");
    Field schema = open.input(0);
    check_columns(schema);
    for (const Field& column : stage_columns()) {
      if (schema.find(column.name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + column.name + "' already, which the stages add");
      schema.children.push_back(column);
    }
    open.set_output(0, schema);
  }

  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    Columns columns;
    Mixture mixture;
    mixture.index = read_domains(call, ConcatenatedDataset(inputs), columns);
    check_domains(mixture.index);
    const auto weights = stage_weights(mixture.index, columns);
    auto plans = plan_stages(call, mixture.index, weights, columns);
    std::int64_t horizon = 0;
    for (const Domain& domain : mixture.index.domains()) horizon += kHorizonEpochs * domain.token_count;
    mixture.schedule = make_schedule(mixture.index, plans, seed_, horizon, [&] { call.check_stop(); });
    mixture.save(staging + kIndexFile);
    const auto parts = parts_of(mixture, weights.back());
    write(staging + kMixtureFile, mixture_json(mixture, parts, has_stages_ ? stages_ : std::vector<StageParameters>()));
    report(call, mixture, parts);
  }

  void attach(const Call&, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    mixture_ = Mixture::load(folder + kIndexFile);
    if (mixture_.index.row_count() != documents_.count())
      throw Error(Code::kCorruptData, folder + kIndexFile + " is of " + std::to_string(mixture_.index.row_count()) + " documents, expected " + std::to_string(documents_.count()));
    order_ = std::make_unique<MixedOrder>(mixture_.index, std::move(mixture_.schedule), seed_);
  }

  std::int64_t count() override { return order_->schedule().draw_count; }

  OwnedArray index_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    const auto found = draws(call, first, n);
    return with_stage(documents_.index(call, found.rows), found.stages, 1);  // its last column is `length`
  }
  OwnedArray read_rows(const Call& call, std::int64_t first, std::int64_t n) override {
    const auto found = draws(call, first, n);
    return with_stage(documents_.read(call, found.rows), found.stages, 0);
  }

 private:
  std::vector<std::string> named_columns() const {
    std::vector<std::string> names{quality_column_, repeat_column_};
    for (const StageParameters& stage : stages_) names.push_back(stage.order_by);
    return names;
  }

  /// Checks that the columns that parameters name are there and hold numbers.
  void check_columns(const Field& input) const {
    Field index = input;  // as documents are looked at: without their tokens, with how many they are
    std::erase_if(index.children, [](const Field& column) { return column.name == "input_ids"; });
    index.children.push_back(fields::uint32("length"));
    const auto check = [&](const std::string& column, const std::string& parameter) {
      if (!column.empty()) NumberColumn::check(index, column, parameter);
    };
    check(quality_column_, "quality_column");
    check(repeat_column_, "repeat_column");
    for (std::size_t s = 0; s < stages_.size(); ++s) check(stages_[s].order_by, stages_[s].order_is_own ? stage_field(s, "order_by") : "order_by");
  }

  // ---- the index

  DomainIndex read_domains(const Call& call, const ConcatenatedDataset& documents, Columns& columns) const {
    if (documents.count() < 0) throw Error(Code::kInvalidArgument, "the input has no end, expected documents that can be counted");
    for (const StageParameters& stage : stages_)
      if (!stage.order_by.empty()) columns.orders[stage.order_by];
    DomainIndex index;
    for (std::int64_t first = 0; first < documents.count(); first += kRowsAtOnce) {
      call.check_stop();
      const OwnedArray rows = documents.index(call, first, std::min(kRowsAtOnce, documents.count() - first));
      append(rows.get(), documents.index_schema(), index, columns);
    }
    return index;
  }

  void append(const ArrowArray& rows, const Field& schema, DomainIndex& index, Columns& columns) const {
    const auto column = [&](const std::string& name, const char* parameter) {
      return name.empty() ? std::nullopt : std::optional<NumberColumn>(std::in_place, rows, schema, name, parameter, missing_scores_);
    };
    const BatchView view(rows, schema);
    const StringColumn ids = view.strings("id"), domains = view.strings("domain");
    const auto* lengths = view.values<std::uint32_t>("length", "I");
    const auto quality = column(quality_column_, "quality_column"), repeat = column(repeat_column_, "repeat_column");
    std::vector<std::pair<NumberColumn, std::vector<std::vector<double>>*>> orders;
    for (auto& [name, numbers] : columns.orders) orders.emplace_back(NumberColumn(rows, schema, name, "order_by", missing_scores_), &numbers);
    for (std::int64_t row = 0; row < view.size(); ++row) {
      const std::int64_t copies = !selection_.in_sample(domains[row], ids[row]) ? 0 : repeat ? selection_.copies(ids[row], (*repeat)[row]) : 1;
      index.append(domains[row], lengths[row], copies);
      if (copies == 0 || lengths[row] == 0) continue;
      const std::size_t domain = index.recent(), count = index.domains().size();
      columns.quality_sums.resize(count);
      if (quality) columns.quality_sums[domain] += (*quality)[row];
      for (auto& [numbers, list] : orders) {
        list->resize(count);
        (*list)[domain].insert((*list)[domain].end(), static_cast<std::size_t>(copies), numbers[row]);
      }
    }
  }

  static void check_domains(const DomainIndex& index) {
    if (!index.domains().empty()) return;
    if (index.empty_count() < index.row_count())
      throw Error(Code::kInvalidArgument, "'sample_fraction' and 'repetitions' leave out all " + std::to_string(index.row_count() - index.empty_count()) + " documents with tokens, expected at least one to mix");
    throw Error(Code::kInvalidArgument, "the input has " + std::to_string(index.row_count()) + " documents and no token, expected at least one to mix");
  }

  // ---- the stages

  /// Returns the weights of each stage by domain, with all that multiplies them.
  std::vector<std::vector<double>> stage_weights(const DomainIndex& index, const Columns& columns) const {
    const auto measured = measured_folder_.empty() ? Weights() : read_measured_weights(measured_folder_);
    std::vector<std::vector<double>> all;
    for (const StageParameters& stage : stages_) {
      const Weights& named = stage.proportions ? *stage.proportions : stage.weights ? *stage.weights : !measured_folder_.empty() ? measured : weights_;
      const double unnamed = stage.proportions ? 0 : 1;
      auto& weights = all.emplace_back();
      for (std::size_t i = 0; i < index.domains().size(); ++i) {
        const Domain& domain = index.domains()[i];
        const auto it = named.find(domain.name);
        if (it == named.end() && &named == &measured)
          throw Error(Code::kInvalidArgument, "'weights_from' has no weight for the domain '" + domain.name + "': it has to measure every domain that is mixed");
        weights.push_back((it == named.end() ? unnamed : it->second) * quality_of(domain, columns.quality_sums[i]));
      }
      if (std::none_of(weights.begin(), weights.end(), [](double weight) { return weight > 0; }))
        throw Error(Code::kInvalidArgument, std::string(stage.proportions ? "'proportions' leaves" : stage.weights ? "a stage's 'weights' leave" : "'weights' leaves") + " every domain of the input out, expected one above 0");
    }
    return all;
  }

  double quality_of(const Domain& domain, double sum) const {
    if (quality_column_.empty()) return 1;
    const double mean = sum / static_cast<double>(domain.document_count);
    if (mean < 0) throw Error(Code::kInvalidArgument, "the mean of '" + quality_column_ + "' over '" + domain.name + "' is " + json::number(mean) + ", expected at least 0 to multiply a weight by");
    return mean;
  }

  std::vector<StagePlan> plan_stages(const Call& call, const DomainIndex& index, const std::vector<std::vector<double>>& weights, const Columns& columns) const {
    std::vector<std::int64_t> sizes;
    for (const Domain& domain : index.domains()) sizes.push_back(domain.token_count);
    std::vector<std::vector<double>> masses;
    for (std::size_t s = 0; s < stages_.size(); ++s) masses.push_back(masses_of(weights[s], sizes, temperature_, unimax_ || stages_[s].proportions));
    std::int64_t total = total_tokens(index, masses);
    if (max_epochs_ > 0) total = cap(call, index, masses[0], total);
    const auto ends = stage_ends(stages_, total, tokens_per_step_);
    std::vector<StagePlan> plans;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      const StageParameters& stage = stages_[s];
      const auto* order = stage.order_by.empty() ? nullptr : &columns.orders.at(stage.order_by);
      plans.push_back({ends[s], to_integers(masses[s]), order, stage.descending, stage.sequence_length});
    }
    return plans;
  }

  /// Returns the tokens of the whole mixture, -1 where nothing says them. An epoch is one pass of every domain that takes part in any stage.
  std::int64_t total_tokens(const DomainIndex& index, const std::vector<std::vector<double>>& masses) const {
    if (tokens_ > 0) return tokens_;
    if (epochs_ == 0) return -1;
    double tokens = 0;
    for (std::size_t i = 0; i < index.domains().size(); ++i)
      if (std::any_of(masses.begin(), masses.end(), [i](const auto& of_stage) { return of_stage[i] > 0; })) tokens += static_cast<double>(index.domains()[i].token_count);
    const double total = std::ceil(epochs_ * tokens);
    if (total > static_cast<double>(kTokensMax)) throw Error(Code::kInvalidArgument, "'epochs' = " + json::number(epochs_) + " makes a mixture of more than 2^62 tokens");
    return static_cast<std::int64_t>(total);
  }

  /// Makes budgets of masses and returns how many tokens they allow.
  std::int64_t cap(const Call& call, const DomainIndex& index, std::vector<double>& masses, std::int64_t total) const {
    std::vector<double> caps;
    for (const Domain& domain : index.domains()) caps.push_back(max_epochs_ * static_cast<double>(domain.unique_tokens));
    masses = capped_budgets(masses, caps, static_cast<double>(total));
    double allowed = 0;
    for (const double budget : masses) allowed += budget;
    const auto tokens = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(allowed * (1 + 1e-12))));  // the sum's own rounding
    if (tokens >= total) return total;
    call.log(FLOWRUN_LOG_WARNING, "'max_epochs' = " + json::number(max_epochs_) + " allows " + std::to_string(tokens) + " of " + std::to_string(total) + " tokens: the mixture ends there");
    return tokens;
  }

  static void write(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw Error(Code::kIo, path + " cannot be written");
  }

  void report(const Call& call, const Mixture& mixture, const std::vector<Part>& parts) const {
    const auto warn = [&](const Weights& named, const std::string& parameter) {
      for (const auto& [domain, value] : named) warn_of_missing(call, mixture.index, domain, parameter, "");
    };
    warn(weights_, "weights");
    for (std::size_t s = 0; s < stages_.size(); ++s)
      if (stages_[s].weights) warn(*stages_[s].weights, stage_field(s, "weights"));
    for (const StageParameters& stage : stages_)
      if (stage.proportions) warn_of_unnamed(call, mixture.index, *stage.proportions);
    Weights sampled = sample_fraction_;
    std::erase_if(sampled, [](const auto& entry) { return entry.second == 0; });
    warn(sampled, "sample_fraction");
    if (mixture.index.empty_count() > 0) call.log(FLOWRUN_LOG_INFO, std::to_string(mixture.index.empty_count()) + " documents without tokens are left out");
    call.log(FLOWRUN_LOG_INFO, shares_text(mixture, parts));
  }

  /// Warns of a domain that a parameter names and the input does not have: most often a slip of the pen.
  static void warn_of_missing(const Call& call, const DomainIndex& index, const std::string& domain, const std::string& parameter, const std::string& what_follows) {
    if (index.has(domain)) return;
    std::vector<std::string> names;
    for (const Domain& known : index.domains()) names.push_back(known.name);
    call.log(FLOWRUN_LOG_WARNING, "'" + parameter + "' names the domain '" + domain + "', of which the input has no document with tokens" + what_follows + did_you_mean(domain, names));
  }

  static void warn_of_unnamed(const Call& call, const DomainIndex& index, const Weights& proportions) {
    for (const auto& [domain, part] : proportions)
      if (part > 0) warn_of_missing(call, index, domain, "proportions", ": the others share its part");
    for (const Domain& domain : index.domains())
      if (!proportions.contains(domain.name)) call.log(FLOWRUN_LOG_WARNING, "'proportions' does not name the domain '" + domain.name + "': it is left out");
  }

  // ---- reading

  MixedOrder::Draws draws(const Call& call, std::int64_t first, std::int64_t n) {
    if (first < 0 || n < 0 || (count() >= 0 && first > count() - n))
      throw Error(Code::kInvalidArgument, "documents " + std::to_string(first) + " to " + std::to_string(first + n) + " of a mixture of " + std::to_string(count()));
    return order_->draws(first, n, [&] { call.check_stop(); });
  }

  /// Returns what a curriculum adds to every row: the stage, and the length that its sequences are to have.
  std::vector<Field> stage_columns() const {
    std::vector<Field> columns;
    if (has_stages_) columns.push_back(fields::uint32("stage"));
    if (stages_[0].sequence_length > 0) columns.push_back(fields::uint32("sequence_length"));
    return columns;
  }

  /// Puts the stage's columns before the last `behind` ones.
  OwnedArray with_stage(OwnedArray rows, const std::vector<std::uint32_t>& stages, std::int64_t behind) const {
    if (!has_stages_ || !rows) return rows;
    auto kept = std::make_shared<OwnedArray>(std::move(rows));
    const ArrowArray& array = kept->get();
    std::vector<OwnedArray> columns;
    const auto borrow = [&](std::int64_t i) { columns.push_back(borrow_column(*array.children[i], array.offset, array.length)); };
    for (std::int64_t i = 0; i < array.n_children - behind; ++i) borrow(i);
    columns.push_back(make_column(stages));
    if (stages_[0].sequence_length > 0) {
      std::vector<std::uint32_t> lengths;
      for (const std::uint32_t stage : stages) lengths.push_back(static_cast<std::uint32_t>(stages_[stage].sequence_length));
      columns.push_back(make_column(std::move(lengths)));
    }
    for (std::int64_t i = array.n_children - behind; i < array.n_children; ++i) borrow(i);
    return make_batch(std::move(columns), array.length, kept);
  }

  const Weights weights_;
  const double epochs_;
  const std::int64_t tokens_;
  const double temperature_;
  const bool unimax_;
  const double max_epochs_;
  const std::string quality_column_, repeat_column_;
  const MissingScores missing_scores_;
  const Weights sample_fraction_;
  Selection selection_;
  const std::int64_t tokens_per_step_;
  const bool has_stages_;
  const std::vector<StageParameters> stages_;
  std::uint64_t seed_ = 0;
  std::string measured_folder_;
  ConcatenatedDataset documents_;
  Mixture mixture_;                    ///< its schedule is order_'s
  std::unique_ptr<MixedOrder> order_;  ///< over mixture_.index
};

}  // namespace
}  // namespace flowrun::mixers

FLOWRUN_PLUGIN(flowrun::mixers::Weighted)
