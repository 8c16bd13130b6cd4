// The cost of one ordered, bounded, typed hop: flowrun's Flow (source -> map -> ordered sink) beside a raw oneTBB graph of the same shape
// (input -> limiter -> function -> sequencer -> serial function), in one process, in turn (A B A B ...), so that a slow minute of a shared
// machine hits both. At most kInFlight messages are on their way in either. Work of 0 gives the cost of the runtime alone; 200 us is a usual
// batch of text. Both add up the numbers that arrive and check the sum, and flowrun's sink also checks their order.
//
//   flow_hop_bench [messages] [repeats]     one JSON object a line on stdout

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/version.h>

#include "graph/flow.hpp"

namespace {

using Clock = std::chrono::steady_clock;
namespace tf = oneapi::tbb::flow;
using flowrun::Field;
namespace fg = flowrun::graph;

constexpr std::int64_t kInFlight = 64;

/// Spins for about `ns` nanoseconds of one core's time; 0 returns at once.
class Work {
 public:
  explicit Work(std::int64_t ns) : rounds_(ns == 0 ? 0 : static_cast<std::int64_t>(static_cast<double>(ns) / round_ns())) {}
  void operator()() const {
    std::uint64_t x = 1;
    spin(x, rounds_);
  }

 private:
  static void spin(std::uint64_t& x, std::int64_t rounds) {
    for (std::int64_t i = 0; i < rounds; ++i) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      asm volatile("" : "+r"(x));
    }
  }
  static double round_ns() {
    static const double measured = [] {
      constexpr std::int64_t kRounds = 20'000'000;
      std::uint64_t x = 1;
      const auto start = Clock::now();
      spin(x, kRounds);
      return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kRounds;
    }();
    return measured;
  }

  std::int64_t rounds_;
};

// ------------------------------------------------------------------------------------------------------------------------ flowrun

const Field kSchema = flowrun::fields::batch({flowrun::fields::int64("bytes")});

/// A batch of one row with its number, made before the clock starts: the raw graph makes nothing either.
struct Numbered {
  std::int64_t number = 0;
  std::array<const void*, 2> column_buffers{};
  std::array<const void*, 1> batch_buffers{};
  ArrowArray column{};
  ArrowArray* children = nullptr;
};

class Source final : public fg::SourceBody {
 public:
  explicit Source(std::int64_t count) : batches_(static_cast<std::size_t>(count)) {
    for (std::int64_t i = 0; i < count; ++i) {
      Numbered& one = batches_[static_cast<std::size_t>(i)];
      one.number = i;
      one.column_buffers = {nullptr, &one.number};
      one.column.length = 1;
      one.column.n_buffers = 2;
      one.column.buffers = one.column_buffers.data();
      one.column.release = release;
      one.children = &one.column;
    }
  }
  std::int64_t unit_count() override { return 1; }
  std::unique_ptr<fg::UnitReader> open_unit(const flowrun_call*, std::int64_t) override { return std::make_unique<Reader>(batches_); }

 private:
  static void release(ArrowArray* array) { array->release = nullptr; }

  class Reader final : public fg::UnitReader {
   public:
    explicit Reader(std::vector<Numbered>& batches) : batches_(batches) {}
    bool next(const flowrun_call*, flowrun::OwnedArray& out) override {
      Numbered& one = batches_[next_++];
      ArrowArray batch{};
      batch.length = 1;
      batch.n_buffers = 1;
      batch.buffers = one.batch_buffers.data();
      batch.n_children = 1;
      batch.children = &one.children;
      batch.release = release;
      out = flowrun::OwnedArray(std::move(batch));
      return next_ == batches_.size();
    }

   private:
    std::vector<Numbered>& batches_;
    std::size_t next_ = 0;
  };

  std::vector<Numbered> batches_;
};

flowrun_status pass_on(void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* out) {
  (*static_cast<const Work*>(self))();
  call->retain(call, in, out);
  return FLOWRUN_OK;
}

class Sink final : public fg::OrderedBody {
 public:
  explicit Sink(std::int64_t& sum) : sum_(sum) {}
  flowrun_status process(const flowrun_call*, std::uint32_t, const fg::Message& in, std::span<ArrowArray>) override {
    const auto number = static_cast<const std::int64_t*>(in.array().children[0]->buffers[1])[0];
    if (number != next_++) return FLOWRUN_INTERNAL;
    sum_ += number;
    return FLOWRUN_OK;
  }
  flowrun_status finish(const flowrun_call*, std::span<ArrowArray>) override { return FLOWRUN_OK; }

 private:
  std::int64_t& sum_;
  std::int64_t next_ = 0;
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "flow_hop_bench: {}\n", why);
  std::exit(1);
}

void check_sum(const char* which, std::int64_t sum, std::int64_t count) {
  if (sum != count * (count - 1) / 2) give_up(fmt::format("{}: the sum of the messages is {}, expected {}", which, sum, count * (count - 1) / 2));
}

double seconds_flowrun(std::int64_t count, int threads, Work work) {
  fg::StopToken token;
  fg::StageControl control(token);
  fg::CreditAccount credits(kInFlight * 8);  // a batch holds one int64
  flowrun_map map{};
  map.size = sizeof map;
  map.process = pass_on;
  fg::NodeRecords source_records(""), map_records(""), sink_records("");
  const auto context = [](const char* name, fg::NodeRecords& records) {
    fg::NodeContext made;
    made.name = name;
    made.records = &records;
    return made;
  };
  std::int64_t sum = 0;
  fg::Flow flow(control, credits, threads);
  const auto source = flow.add_source(context("source", source_records), std::make_unique<Source>(count), kSchema, -1);
  const auto middle = flow.add_map(context("map", map_records), &map, &work, kSchema, {kSchema});
  const auto sink = flow.add_ordered(context("sink", sink_records), std::make_unique<Sink>(sum), {kSchema}, {});
  flow.connect(source, 0, middle, 0);
  flow.connect(middle, 0, sink, 0);
  const auto start = Clock::now();
  flow.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (const auto error = control.error()) give_up(error->node + ": " + error->message);
  check_sum("flowrun", sum, count);
  if (sink_records.counters().in.documents != count) give_up("the sink's counter is wrong");
  return seconds;
}

// ------------------------------------------------------------------------------------------------------------------------ raw oneTBB

double seconds_raw(std::int64_t count, int, Work work) {
  std::int64_t next = 0, sum = 0;
  tf::graph graph;
  tf::input_node<std::int64_t> source(graph, [&](oneapi::tbb::flow_control& control) {
    if (next == count) control.stop();
    return next == count ? 0 : next++;
  });
  tf::limiter_node<std::int64_t> limiter(graph, kInFlight);
  tf::function_node<std::int64_t, std::int64_t> middle(graph, tf::unlimited, [work](std::int64_t number) {
    work();
    return number;
  });
  tf::sequencer_node<std::int64_t> sequencer(graph, [](std::int64_t number) { return static_cast<std::size_t>(number); });
  tf::function_node<std::int64_t, tf::continue_msg> sink(graph, tf::serial, [&](std::int64_t number) {
    sum += number;
    return tf::continue_msg();
  });
  tf::make_edge(source, limiter);
  tf::make_edge(limiter, middle);
  tf::make_edge(middle, sequencer);
  tf::make_edge(sequencer, sink);
  tf::make_edge(sink, limiter.decrementer());
  const auto start = Clock::now();
  source.activate();
  graph.wait_for_all();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  check_sum("raw", sum, count);
  return seconds;
}

// ------------------------------------------------------------------------------------------------------------------------ report

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_line(const std::string& name, const char* unit, std::vector<double> values, int threads, std::int64_t count) {
  std::sort(values.begin(), values.end());
  fmt::print(R"({{"name":"{}","unit":"{}","value":{:.4g},"min":{:.4g},"median":{:.4g},"max":{:.4g},"repeats":{},"threads":{},"messages":{},"cpu":"{} x{}","onetbb":"{}"}})"
             "\n",
             name, unit, values[values.size() / 2], values.front(), values[values.size() / 2], values.back(), values.size(), threads, count, cpu_name(),
             std::thread::hardware_concurrency(), TBB_runtime_version());
  std::fflush(stdout);
}

/// Measures both in turn and prints three lines: each one's ns a message, and the ratio of each pair of neighbours.
void compare(std::int64_t count, int repeats, int threads, std::int64_t work_ns) {
  const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  const Work work(work_ns);
  std::vector<double> ours, raw, ratios;
  for (int repeat = -1; repeat < repeats; ++repeat) {  // the first pair warms up
    const double ns = 1e9 / static_cast<double>(count);
    const double one = seconds_flowrun(count, threads, work) * ns, other = seconds_raw(count, threads, work) * ns;
    if (repeat < 0) continue;
    ours.push_back(one);
    raw.push_back(other);
    ratios.push_back(one / other);
  }
  const std::string suffix = work_ns == 0 ? "" : fmt::format(".work_{}us", work_ns / 1000);
  print_line("hop.flowrun" + suffix, "ns/message", ours, threads, count);
  print_line("hop.onetbb_limiter_sequencer" + suffix, "ns/message", raw, threads, count);
  print_line("hop.ratio" + suffix, "flowrun/onetbb", ratios, threads, count);
  if (work_ns == 0) print_line("hop.share_of_200us_batch", "percent", {median(ours) / 200'000 * 100}, threads, count);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t count = argc > 1 ? std::max(1, std::atoi(argv[1])) : 300'000;
  const int repeats = argc > 2 ? std::max(1, std::atoi(argv[2])) : 9;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<int> thread_counts{1};
  if (cores > 1) thread_counts.push_back(cores);
  for (const int threads : thread_counts) {
    compare(count, repeats, threads, 0);
    compare(std::max<std::int64_t>(1, count / 200), repeats, threads, 200'000);
  }
}
