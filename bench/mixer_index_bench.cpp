// The index of mixers/weighted over 10^9 tokens: how long it takes to make, how much memory it needs, and what a read at any position costs.
//
//     mixer_index_bench [TOKENS] [TOKENS_PER_DOCUMENT] [DOMAINS] [EPOCHS]
//
// Prints one JSON object; seconds are of CPU time on one core. Lengths are geometric around the mean; domains have sizes 1, 1/2, 1/3, ...; the documents themselves are not read.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "mixers/weighted/mixture.hpp"
#include "mixers/weighted/schedule.hpp"
#include "mixers/weighted/shares.hpp"

namespace {

using flowrun::mixers::Domain;
using flowrun::mixers::DomainIndex;
using flowrun::mixers::MixedOrder;
using flowrun::mixers::Mixture;

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Returns this thread's time on a core, which other processes of a shared machine do not change much.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Work>
double seconds(Work&& work) {
  const double start = cpu_seconds();
  work();
  return cpu_seconds() - start;
}

DomainIndex make_index(std::int64_t tokens, double mean, int domain_count) {
  std::mt19937_64 random(1);
  std::geometric_distribution<std::uint32_t> length(1 / mean);
  std::vector<std::string> names;
  std::vector<double> sizes;
  for (int i = 0; i < domain_count; ++i) {
    names.push_back("domain" + std::to_string(i));
    sizes.push_back(1.0 / (i + 1));
  }
  std::discrete_distribution<std::size_t> domain(sizes.begin(), sizes.end());
  DomainIndex index;
  for (std::int64_t made = 0; made < tokens;) {
    const std::uint32_t own = 1 + length(random);
    index.append(names[domain(random)], own);
    made += own;
  }
  return index;
}

/// Returns the least, median and largest time of reads of one document at random places of a part of the mixture, in microseconds.
std::string read_times(MixedOrder& order, std::int64_t first, std::int64_t last) {
  std::mt19937_64 random(2);
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t position = first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first));
    times.push_back(1e6 * seconds([&] { order.draws(position, 1, [] {}); }));
  }
  std::sort(times.begin(), times.end());
  char text[80];
  std::snprintf(text, sizeof text, "[%.1f, %.1f, %.1f]", times.front(), times[times.size() / 2], times.back());
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const double tokens = argc > 1 ? std::atof(argv[1]) : 1e9, mean = argc > 2 ? std::atof(argv[2]) : 500, epochs = argc > 4 ? std::atof(argv[4]) : 1;
  const int domain_count = argc > 3 ? std::atoi(argv[3]) : 20;
  Mixture mixture;
  const double index_seconds = seconds([&] { mixture.index = make_index(static_cast<std::int64_t>(tokens), mean, domain_count); });
  const double index_mib = peak_mib();
  std::vector<double> weights(mixture.index.domains().size());
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + static_cast<double>(i % 3);
  for (const Domain& domain : mixture.index.domains()) sizes.push_back(domain.token_count);
  const auto masses = flowrun::mixers::to_integers(flowrun::mixers::masses_of(weights, sizes, 1, false));
  const double schedule_seconds = seconds([&] {
    mixture.schedule = flowrun::mixers::make_schedule(mixture.index, {{static_cast<std::int64_t>(epochs * tokens), masses, nullptr, false, 0}}, 1, 0, [] {});
  });
  const std::string path = (std::filesystem::temp_directory_path() / "mixer_index_bench.bin").string();
  const double save_seconds = seconds([&] { mixture.save(path); });
  const auto bytes = std::filesystem::file_size(path);
  const std::int64_t documents = mixture.index.row_count(), draws = mixture.schedule.draw_count;
  mixture = {};
  const double load_seconds = seconds([&] { mixture = Mixture::load(path); });
  std::filesystem::remove(path);
  MixedOrder order(mixture.index, std::move(mixture.schedule), 1);
  const std::string begin = read_times(order, 0, draws / 10), end = read_times(order, draws - draws / 10, draws);
  std::printf("{\"bench\": \"mixer_index\", \"tokens\": %.0f, \"documents\": %lld, \"domains\": %d, \"draws\": %lld, \"make_index_seconds\": %.2f, \"schedule_seconds\": %.2f, "
              "\"microseconds_per_draw\": %.3f, \"save_seconds\": %.2f, \"load_seconds\": %.2f, \"file_bytes\": %llu, \"index_peak_mib\": %.1f, \"peak_mib\": %.1f, "
              "\"read_first_tenth_microseconds\": %s, \"read_last_tenth_microseconds\": %s}\n",
              tokens, static_cast<long long>(documents), domain_count, static_cast<long long>(draws), index_seconds, schedule_seconds, 1e6 * schedule_seconds / static_cast<double>(draws),
              save_seconds, load_seconds, static_cast<unsigned long long>(bytes), index_mib, peak_mib(), begin.c_str(), end.c_str());
  return 0;
}
