#pragma once

// What a run tells while it goes: plain lines on stderr, log.jsonl, progress.json once a second.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/durable.hpp"

namespace flowrun::run {

enum class Verbosity { kQuiet, kNormal, kVerbose };

/// [any thread]
class Reporter {
 public:
  explicit Reporter(Verbosity verbosity) : verbosity_(verbosity) {}
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  /// From now on also writes log.jsonl and progress.json into the run's folder.
  void attach(const std::string& folder);
  /// A line of talk.
  void info(std::string_view text);
  void warning(std::string_view text);
  /// Only with -v, but always logged.
  void detail(std::string_view text);
  /// A plugin's line; the first few warnings of each node are shown, all are logged.
  void plugin_line(const std::string& node, int level, std::string_view text);

  /// While it is set, `sample` gives progress.json's content once a second; null ends it, with a last sample.
  void set_sampler(std::function<nlohmann::json()> sample);

 private:
  void log(const char* level, const std::string& node, std::string_view text);
  void print(std::string_view text);
  void sample_loop();
  void write_sample();

  const Verbosity verbosity_;
  std::mutex mutex_;  // protects log_ and warnings_
  std::unique_ptr<io::AppendFile> log_;
  std::map<std::string, int> warnings_;
  std::string folder_;
  std::mutex sampler_mutex_;  // protects sampler_ and closing_
  std::condition_variable wake_;
  std::function<nlohmann::json()> sampler_;
  bool closing_ = false;
  std::thread thread_;
};

/// Returns the time as "2026-11-23T10:35:00Z".
std::string utc_now();

}  // namespace flowrun::run
