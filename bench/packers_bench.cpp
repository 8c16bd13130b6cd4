// Packers on 10^9 tokens: the time and memory of the index, its size, and the time of a batch by its position, which must not depend on it. Times
// are of the processor: nothing here waits, and the machine may be shared.
// The documents are made as they are asked for: lengths are log-normal (median 245, mean 500), so nothing of the input is in memory.
//
//   packers_bench PLUGIN.so [documents] [sequence_length]     one JSON object on stdout; a process for each plugin, because of its peak memory

#include <dlfcn.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <flowrun/philox.hpp>
#include <flowrun/testing.hpp>

namespace {

using namespace flowrun;

/// Returns the processor time that this process has used, in microseconds.
double cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

/// Returns this process's peak memory in MiB.
double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Documents that are functions of their position.
class MadeDataset {
 public:
  explicit MadeDataset(std::int64_t documents) : documents_(documents) {
    export_schema(fields::tokens(), &schema_);
    export_schema(testing::MemoryDataset::index_fields(), &index_schema_);
    table_.size = sizeof table_;
    table_.self = this;
    table_.count = [](void* self) { return static_cast<MadeDataset*>(self)->documents_; };
    table_.index = [](void*, const flowrun_call*, std::int64_t first, std::int64_t n, ArrowArray* out) {
      make(first, n, false).move_to(out);
      return FLOWRUN_OK;
    };
    table_.read = [](void*, const flowrun_call*, std::int64_t first, std::int64_t n, ArrowArray* out) {
      make(first, n, true).move_to(out);
      return FLOWRUN_OK;
    };
    table_.index_schema = &index_schema_;
    table_.schema = &schema_;
  }
  MadeDataset(const MadeDataset&) = delete;
  MadeDataset& operator=(const MadeDataset&) = delete;
  ~MadeDataset() {
    schema_.release(&schema_);
    index_schema_.release(&index_schema_);
  }
  const flowrun_dataset* table() const noexcept { return &table_; }

  static std::uint32_t length_of(std::int64_t document) {
    const auto at = static_cast<std::uint64_t>(document);
    const double normal = std::sqrt(-2 * std::log(1 - philox_uniform(1, at))) * std::cos(2 * std::numbers::pi * philox_uniform(2, at));
    return static_cast<std::uint32_t>(std::exp(5.5 + 1.2 * normal));
  }

 private:
  static OwnedArray make(std::int64_t first, std::int64_t n, bool whole) {
    StringBuilder ids, domains;
    ListBuilder tokens;
    std::vector<std::int64_t> bytes;
    std::vector<std::uint32_t> lengths;
    for (std::int64_t document = first; document < first + n; ++document) {
      ids.append("made#" + std::to_string(document));
      domains.append("made");
      lengths.push_back(length_of(document));
      bytes.push_back(4 * std::int64_t{lengths.back()});
      if (!whole) continue;
      for (std::uint32_t t = 0; t < lengths.back(); ++t) tokens.values().push_back(static_cast<std::uint32_t>(document) * 31 + t);
      tokens.end_row();
    }
    std::vector<OwnedArray> columns;
    columns.push_back(ids.finish());
    columns.push_back(domains.finish());
    columns.push_back(make_column(bytes));
    columns.push_back(whole ? tokens.finish() : make_column(lengths));
    return make_batch(std::move(columns), n);
  }

  std::int64_t documents_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

int run(const char* path, std::int64_t documents, std::int64_t sequence_length) {
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const auto* plugin = library != nullptr ? static_cast<const flowrun_plugin*>(::dlsym(library, "flowrun_plugin_v1")) : nullptr;
  if (plugin == nullptr) throw Error(Code::kNotFound, fmt::format("{}: {}", path, ::dlerror()));
  constexpr std::int64_t kBatch = 8;
  std::vector<std::pair<std::string, testing::Value>> parameters{{"sequence_length", sequence_length}};
  const std::string name = std::filesystem::path(path).stem().string();
  if (name == "buckets") parameters.emplace_back("batch_size", kBatch);
  testing::Runner node(*plugin, parameters);
  node.open({fields::tokens()});
  const MadeDataset data(documents);
  const std::vector tables{data.table()};
  const testing::TemporaryFolder folder;
  const double before_mib = peak_mib();
  double start = cpu_us();
  node.prepare(tables, folder.path());
  const double prepare_cpu_seconds = (cpu_us() - start) / 1e6, index_mib = peak_mib() - before_mib;
  std::uintmax_t index_bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) index_bytes += entry.file_size();
  start = cpu_us();
  node.attach(tables, folder.path());
  const double attach_us = cpu_us() - start;

  // At each of eleven places between the first batch and the last: a batch where nothing near has been read (cold), and then those that follow it.
  constexpr int kPlaces = 11, kFollowing = 50;
  const std::int64_t batches = node.count() / kBatch;
  std::vector<std::string> cold, following;
  for (int place = 0; place < kPlaces; ++place) {
    const std::int64_t batch = (batches - kFollowing - 1) * place / (kPlaces - 1);
    start = cpu_us();
    node.read_batch(batch * kBatch, kBatch);
    cold.push_back(fmt::format("{:.0f}", cpu_us() - start));
    std::vector<double> times;
    for (int i = 1; i <= kFollowing; ++i) {
      start = cpu_us();
      node.read_batch((batch + i) * kBatch, kBatch);
      times.push_back(cpu_us() - start);
    }
    std::sort(times.begin(), times.end());
    following.push_back(fmt::format("{:.0f}", times[kFollowing / 2]));
  }
  std::int64_t tokens = 0;
  for (std::int64_t document = 0; document < documents; ++document) tokens += MadeDataset::length_of(document) + 1;
  std::string said = node.logs().empty() ? "" : node.logs()[0].message;
  fmt::print("{{\"bench\":\"packers\",\"packer\":\"{}\",\"documents\":{},\"tokens\":{},\"sequence_length\":{},\"sequences\":{},\"prepare_cpu_seconds\":{:.2f},\"index_peak_mib\":{:.1f},\"index_bytes\":{},"
             "\"attach_cpu_us\":{:.0f},\"cold_batch_cpu_us_by_position\":[{}],\"following_batch_cpu_us_median_by_position\":[{}],\"said\":{}}}\n",
             name, documents, tokens, sequence_length, node.count(), prepare_cpu_seconds, index_mib, index_bytes, attach_us, fmt::join(cold, ","), fmt::join(following, ","), json::quote(said));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: packers_bench PLUGIN.so [documents] [sequence_length]\n", stderr);
    return 2;
  }
  try {
    return run(argv[1], argc > 2 ? std::atoll(argv[2]) : 2'000'000, argc > 3 ? std::atoll(argv[3]) : 2048);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
