// mixers/weighted: documents of all domains in one order, each domain with its share of the tokens.

#include <flowrun/dataset.hpp>
#include <flowrun/node.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "domain_index.hpp"
#include "weighted.hpp"

namespace flowrun::mixers {
namespace {

constexpr const char* kIndexFile = "/domains.bin";
constexpr std::int64_t kRowsAtOnce = 65536;  ///< of the input's index

class Weighted : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("mixers/weighted", "0.1.0")
        .summary("Mixes the documents of all domains, so that domain i gives the share w_i |D_i| / sum_j w_j |D_j| of the tokens at every point.")
        .input({"in", "tokens", Edge::kDataset})
        .output({"out", "tokens", Edge::kDataset})
        .parameter(numbers_by_key("weights").range(0, 1e9).about("The weight of each domain; one that is not named has 1, and 0 leaves a domain out."))
        .parameter(number("epochs").range(1e-6, 1e6).about("How often all tokens of the domains that take part are drawn, above 0; without it there is no end."))
        .determinism("seeded")
        .threads("Rows are read by any number of calls at once.")
        .source("P(i) = w_i |D_i| / sum_j w_j |D_j|; order by largest deficit: Adler et al. 2003, SPAA'03; permutations: philox.hpp.")
        .example("[node.mix]\nplugin  = \"mixers/weighted\"\nin      = \"train_tokens\"\nweights = { books = 1.0, web = 2.0 }\n");
  }

  explicit Weighted(const Params& params) : weights_(params.numbers_by_key("weights")), has_end_(params.has("epochs")), epochs_(params.number_or("epochs", 0)) {
    for (const auto& [domain, weight] : weights_)
      if (!std::isfinite(weight) || weight < 0)
        throw Error(Code::kInvalidArgument, "the weight of '" + domain + "' in 'weights' is " + json::number(weight) + ", expected a finite number of at least 0");
    if (has_end_ && !(std::isfinite(epochs_) && epochs_ > 0))
      throw Error(Code::kInvalidArgument, "'epochs' is " + json::number(epochs_) + ", expected a finite number above 0");
  }

  void open(Open& open) override {
    seed_ = open.seed();
    Indexed::open(open);
  }

  void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) override {
    DomainIndex index = read_domains(call, ConcatenatedDataset(inputs));
    const WeightedOrder order(index, weights_, seed_);
    if (has_end_) index.draw_count = order.draw_count(epochs_ * static_cast<double>(order.epoch_tokens()), [&] { call.check_stop(); });
    index.save(staging + kIndexFile);
    report(call, index, order);
  }

  void attach(const Call&, std::span<const Dataset> inputs, const std::string& folder) override {
    documents_ = ConcatenatedDataset(inputs);
    index_ = DomainIndex::load(folder + kIndexFile);
    if (index_.row_count() != documents_.count())
      throw Error(Code::kCorruptData, folder + kIndexFile + " is of " + std::to_string(index_.row_count()) + " documents, expected " + std::to_string(documents_.count()));
    order_.emplace(index_, weights_, seed_);
  }

  std::int64_t count() override { return index_.draw_count; }

  OwnedArray index_rows(const Call& call, std::int64_t first, std::int64_t n) override { return documents_.index(call, rows(call, first, n)); }
  OwnedArray read_rows(const Call& call, std::int64_t first, std::int64_t n) override { return documents_.read(call, rows(call, first, n)); }

 private:
  static DomainIndex read_domains(const Call& call, const ConcatenatedDataset& documents) {
    if (documents.count() < 0) throw Error(Code::kInvalidArgument, "the input has no end, expected documents that can be counted");
    DomainIndex index;
    for (std::int64_t first = 0; first < documents.count(); first += kRowsAtOnce) {
      call.check_stop();
      const OwnedArray rows = documents.index(call, first, std::min(kRowsAtOnce, documents.count() - first));
      const BatchView view(rows.get(), documents.index_schema());
      const StringColumn domain = view.strings("domain");
      const auto* length = view.values<std::uint32_t>("length", "I");
      for (std::int64_t row = 0; row < view.size(); ++row) index.append(domain[row], length[row]);
    }
    return index;
  }

  void report(const Call& call, const DomainIndex& index, const WeightedOrder& order) const {
    for (const auto& [domain, weight] : weights_)
      if (!index.has(domain)) call.log(FLOWRUN_LOG_WARNING, "'weights' names the domain '" + domain + "', of which the input has no document with tokens");
    if (index.empty_count() > 0) call.log(FLOWRUN_LOG_INFO, std::to_string(index.empty_count()) + " documents without tokens are left out");
    std::string text = "shares of the tokens:";
    for (const auto& part : order.parts()) {
      char share[32];
      std::snprintf(share, sizeof share, " %.4f", part.share);
      text += (text.ends_with(':') ? " " : ", ") + part.domain->name + share;
    }
    call.log(FLOWRUN_LOG_INFO, text);
  }

  std::vector<std::int64_t> rows(const Call& call, std::int64_t first, std::int64_t n) {
    if (first < 0 || n < 0 || (count() >= 0 && first > count() - n))
      throw Error(Code::kInvalidArgument, "documents " + std::to_string(first) + " to " + std::to_string(first + n) + " of a mixture of " + std::to_string(count()));
    return order_->rows(first, n, [&] { call.check_stop(); });
  }

  const std::map<std::string, double> weights_;
  const bool has_end_;
  const double epochs_;
  std::uint64_t seed_ = 0;
  ConcatenatedDataset documents_;
  DomainIndex index_;
  std::optional<WeightedOrder> order_;  ///< over index_
};

}  // namespace
}  // namespace flowrun::mixers

FLOWRUN_PLUGIN(flowrun::mixers::Weighted)
