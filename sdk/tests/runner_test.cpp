// The test runner against nodes that keep the boundary's rules, and against one for each rule that breaks it.

#include <flowrun/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace flowrun {
namespace {

using testing::Batch;
using testing::Document;
using testing::document_rows;
using testing::documents_batch;
using testing::MemoryDataset;
using testing::OpenOptions;
using testing::Runner;
using testing::message_of;
using testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ------------------------------------------------------------------------------------------------------------- nodes that keep the rules

class TooLong : public RowFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/too_long", "1.0.0").input({"in", "documents"}).output({"out", "documents"}).parameter(integer("max_bytes").defaults(3));
  }
  explicit TooLong(const Params& params) : max_bytes_(params.integer("max_bytes")) {
    if (max_bytes_ == 13) throw Error(Code::kInvalidArgument, "'max_bytes' is 13, expected luck");
  }
  std::optional<Drop> decide(const DocumentsView& documents, std::int64_t row) override {
    const auto bytes = static_cast<std::int64_t>(documents.text[row].size());
    if (bytes <= max_bytes_) return std::nullopt;
    return Drop{"too_long", static_cast<double>(bytes), static_cast<double>(max_bytes_)};
  }

 private:
  std::int64_t max_bytes_;
};

/// Counts to `units` and refuses record 1 of each unit.
class Counter : public Source {
 public:
  static Descriptor descriptor() { return Descriptor("readers/counter", "1.0.0").output({"out", "documents"}).parameter(integer("units").required()); }
  explicit Counter(const Params& params) : units_(params.integer("units")) {}
  void open(Open& open) override {
    open.set_output(0, fields::documents());
    batch_documents_ = open.batch_documents();
  }
  std::int64_t unit_count() override { return units_; }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override { return std::make_unique<Unit>(unit, batch_documents_); }

 private:
  struct Unit : Cursor {
    Unit(std::int64_t number, std::int64_t limit) : unit(number), batch_documents(limit) {}
    bool next(const Call& call, OwnedArray& out) override {
      call.check_stop();
      DocumentsBuilder builder(1 << 20, batch_documents);
      for (; record < 5 && !builder.full(); ++record) {
        if (record != 1) {
          builder.append(std::to_string(unit) + "." + std::to_string(record), "text", "", "");
          continue;
        }
        flowrun_record_error error{};
        error.status = FLOWRUN_CORRUPT_DATA;
        error.code = "unlucky";
        error.message = "record 1 is never good";
        error.file = "nowhere";
        error.record = record;
        error.offset = -1;
        error.documents = 1;
        call.record_error(error);
      }
      out = builder.finish();
      return record == 5;
    }
    std::int64_t unit, batch_documents, record = 0;
  };
  std::int64_t units_, batch_documents_ = 0;
};

/// Holds every batch back until the next one, and counts the rows seen: its state.
class Delay : public Serial, public Stateful {
 public:
  static Descriptor descriptor() { return Descriptor("filters/delay", "1.0.0").input({"in", "documents"}).output({"out", "documents"}).declares_state(); }
  explicit Delay(const Params&) {}
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    if (held_) held_.move_to(&out[0]);
    held_ = call.retain(in);
    rows_ += in.length;
  }
  void finish(const Call&, std::span<ArrowArray> out) override {
    if (held_) held_.move_to(&out[0]);
  }
  void snapshot(const Call&, const std::string& folder) override { std::ofstream(folder + "/rows") << rows_; }
  void restore(const Call&, const std::string& folder) override { std::ifstream(folder + "/rows") >> rows_; }
  std::int64_t memory_bytes() override { return rows_; }

 private:
  OwnedArray held_;
  std::int64_t rows_ = 0;
};

/// Gives its documents in reverse order.
class Reverse : public Blocking {
 public:
  static Descriptor descriptor() { return Descriptor("filters/reverse", "1.0.0").input({"in", "documents"}).output({"out", "documents"}); }
  explicit Reverse(const Params&) {}
  void open(Open& open) override { open.set_output(0, schema_ = open.input()); }
  void consume(const Call&, std::size_t, const ArrowArray& in) override {
    const DocumentsView view(in, schema_);
    for (std::int64_t row = 0; row < in.length; ++row) texts_.emplace_back(view.text[row]);
  }
  void finish(const Call&) override { std::reverse(texts_.begin(), texts_.end()); }
  bool produce(const Call&, OwnedArray& out) override {
    DocumentsBuilder builder(1 << 20, 2);
    for (; next_ < texts_.size() && !builder.full(); ++next_) builder.append(std::to_string(next_), texts_[next_], "", "");
    out = builder.finish();
    return next_ == texts_.size();
  }

 private:
  Field schema_;
  std::vector<std::string> texts_;
  std::size_t next_ = 0;
};

/// Gives each row of its dataset as a sequence of its first token alone.
class FirstTokens : public Indexed {
 public:
  static Descriptor descriptor() {
    return Descriptor("packers/first", "1.0.0").input({"in", "tokens", Edge::kDataset}).output({"out", "batch"});
  }
  explicit FirstTokens(const Params&) {}
  void prepare(const Call&, std::span<const Dataset>, const std::string& staging) override { std::ofstream(staging + "/index") << "ready"; }
  void attach(const Call&, std::span<const Dataset> inputs, const std::string& index) override {
    if (testing::read_file(index + "/index") != "ready") throw Error(Code::kCorruptData, "no index");
    input_ = &inputs[0];
  }
  std::int64_t count() override { return input_->count(); }
  void read_batch(const Call& call, std::int64_t first, std::int64_t n, BatchBuilder& out) override {
    const OwnedArray rows = input_->read(call, first, n);
    const TokensView view(rows.get(), input_->schema());
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < n; ++i) {
      values.push_back(view.input_ids[i][0]);
      out.add_id(std::string(view.id[i]));
    }
    out.add("input_ids", std::move(values), n, 1);
  }

 private:
  const Dataset* input_ = nullptr;
};

TEST(Runner, RunsAMapWithDefaultsAndDrops) {
  Runner node(Adapter<TooLong>::kPlugin);
  node.open({fields::documents()});
  const auto out = node.process(documents_batch({{"a", "one", "d", "s"}, {"b", "four", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(Document{"a", "one", "d", "s"}));
  ASSERT_EQ(node.drops().size(), 1u);
  EXPECT_EQ(node.drops()[0].id, "b");
  EXPECT_EQ(node.drops()[0].reason, "too_long");
  EXPECT_EQ(node.drops()[0].value, 4);
  EXPECT_EQ(node.drops()[0].threshold, 3);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(Runner, RunsAMapFromSeveralThreads) {
  Runner node(Adapter<TooLong>::kPlugin);
  node.open({fields::documents()});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) node.process(documents_batch({{"a", "one", "", ""}, {"b", "four", "", ""}}));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(node.drops().size(), 400u);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(Runner, RefusesParametersThatTheDescriptorDoesNotDeclare) {
  const auto make = [](testing::Parameters parameters) { return message_of([&] { Runner(Adapter<TooLong>::kPlugin, parameters); }); };
  EXPECT_EQ(make({{"max_byte", 3}}), "the descriptor declares no parameter 'max_byte'");
  EXPECT_EQ(make({{"max_bytes", "three"}}), "parameter 'max_bytes' is declared as integer");
  EXPECT_EQ(make({{"max_bytes", 13}}), "'max_bytes' is 13, expected luck");
  EXPECT_EQ(message_of([] { Runner(Adapter<Counter>::kPlugin); }), "parameter 'units' is required");
}

TEST(Runner, ReadsASourceUnitByUnit) {
  Runner node(Adapter<Counter>::kPlugin, {{"units", 2}});
  OpenOptions options;
  options.batch_documents = 3;
  node.open({}, options);
  std::vector<std::string> ids;
  for (const auto& row : node.read_documents()) ids.push_back(row.id);
  EXPECT_THAT(ids, ElementsAre("0.0", "0.2", "0.3", "0.4", "1.0", "1.2", "1.3", "1.4"));
  ASSERT_EQ(node.record_errors().size(), 2u);
  EXPECT_EQ(node.record_errors()[1].code, "unlucky");
  EXPECT_EQ(node.record_errors()[1].documents, 1);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(Runner, StopsASource) {
  Runner node(Adapter<Counter>::kPlugin, {{"units", 1}});
  node.open();
  node.stop_on_record_error();
  EXPECT_EQ(message_of([&] { node.read_all(); }), "stopped by a record error");
  node.request_stop();
  EXPECT_EQ(message_of([&] { node.read_all(); }), "the run is stopping");
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(Runner, RunsASerialNodeThatHoldsBatchesBack) {
  Runner node(Adapter<Delay>::kPlugin);
  node.open({fields::documents()});
  EXPECT_EQ(node.process(documents_batch({{"a", "1", "", ""}}))[0].size(), 0);
  EXPECT_EQ(document_rows(node.process(documents_batch({{"b", "2", "", ""}}))[0])[0].id, "a");
  EXPECT_EQ(document_rows(node.finish()[0])[0].id, "b");
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(Runner, TakesAndGivesState) {
  const TemporaryFolder folder;
  Runner first(Adapter<Delay>::kPlugin), second(Adapter<Delay>::kPlugin);
  first.open({fields::documents()});
  first.process(documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}}));
  ASSERT_TRUE(first.has_state());
  first.snapshot(folder.path());
  first.finish();
  second.open({fields::documents()});
  second.restore(folder.path());
  EXPECT_EQ(second.memory_bytes(), 2);
  EXPECT_THAT(first.close(), IsEmpty());
}

TEST(Runner, RunsABlockingNode) {
  Runner node(Adapter<Reverse>::kPlugin);
  node.open({fields::documents()});
  node.consume(documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}}));
  node.consume(documents_batch({{"c", "3", "", ""}}));
  node.finish();
  const auto out = node.produce_all();
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(document_rows(out[0])[0].text, "3");
  EXPECT_EQ(document_rows(out[1])[0].text, "1");
}

TEST(Runner, RunsAnIndexedNode) {
  const TemporaryFolder folder;
  const MemoryDataset data({{"a", "", 1, {5, 6}}, {"b", "", 1, {7}}});
  Runner node(Adapter<FirstTokens>::kPlugin);
  node.open({std::nullopt});
  node.prepare({&data}, folder.path());
  node.attach({&data}, folder.path());
  EXPECT_EQ(node.count(), 2);
  const auto batch = node.read_batch(0, 2);
  EXPECT_THAT(batch.tensors.at("input_ids").values, ElementsAre(5, 7));
  EXPECT_THAT(batch.ids, ElementsAre("a", "b"));
  EXPECT_THAT(message_of([&] { node.read_batch(1, 2); }), HasSubstr("rows 1 to 3 of a dataset of 2"));
  EXPECT_THAT(node.close(), IsEmpty());
}

// ------------------------------------------------------------------------------------------------------------ nodes that break a rule each

enum class Fault { kLosesRow, kGivesRowTwice, kDropsTwice, kDropsUnknownRow, kLeaks };

template <Fault kFault>
class Faulty : public Map {
 public:
  static Descriptor descriptor() { return Descriptor("filters/faulty", "1.0.0").input({"in", "documents"}).output({"out", "documents"}); }
  explicit Faulty(const Params&) {}
  void open(Open& open) override { open.set_output(0, schema_ = open.input()); }
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    std::vector<std::int64_t> rows{0};
    if (kFault == Fault::kGivesRowTwice) rows = {0, 0, 1};
    if (kFault == Fault::kDropsTwice) call.drop(1, "x"), call.drop(1, "x");
    if (kFault == Fault::kDropsUnknownRow) call.drop(1, "x"), call.drop(2, "x");
    if (kFault == Fault::kLeaks) {
      rows = {0, 1};
      ArrowArray lost{};
      call.retain(in).move_to(&lost);
    }
    select_rows(in, schema_, rows).move_to(&out[0]);
  }

 private:
  Field schema_;
};

template <Fault kFault>
std::vector<std::string> violations_of() {
  Runner node(Adapter<Faulty<kFault>>::kPlugin);
  node.open({fields::documents()});
  node.process(documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}}));
  return node.close();
}

TEST(Runner, SeesEachBrokenRule) {
  EXPECT_THAT(violations_of<Fault::kLosesRow>(), ElementsAre("document 'b' is neither in an output nor dropped nor refused"));
  EXPECT_THAT(violations_of<Fault::kGivesRowTwice>(), ElementsAre("document 'a' leaves the node more often than it entered"));
  EXPECT_THAT(violations_of<Fault::kDropsTwice>(), ElementsAre(HasSubstr("drop names row 1, which is dropped or refused already"), HasSubstr("document 'b' leaves")));
  EXPECT_THAT(violations_of<Fault::kDropsUnknownRow>(), ElementsAre("drop names row 2, which the input does not have"));
  EXPECT_THAT(violations_of<Fault::kLeaks>(), ElementsAre("a retained batch was never released"));
}

TEST(Runner, SeesAFailureThatIsNotExplained) {
  static const flowrun_map map = {sizeof(flowrun_map), [](void*, const flowrun_call*, const ArrowArray*, ArrowArray*) -> flowrun_status { return FLOWRUN_IO; }};
  flowrun_plugin plugin = Adapter<TooLong>::kPlugin;
  plugin.get_interface = [](const char*) -> const void* { return &map; };
  Runner node(plugin);
  node.open({fields::documents()});
  EXPECT_THROW(node.process(documents_batch({{"a", "1", "", ""}})), Error);
  EXPECT_THAT(node.close(), ElementsAre("process returns 4 after 0 calls of fail, expected 1 for a failure and 0 otherwise"));
}

TEST(RunnerDeathTest, AbortsWhereNobodyAsked) {
  EXPECT_DEATH(
      {
        Runner node(Adapter<Faulty<Fault::kLosesRow>>::kPlugin);
        node.open({fields::documents()});
        node.process(documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}}));
      },
      "document 'b' is neither");
}

}  // namespace
}  // namespace flowrun
