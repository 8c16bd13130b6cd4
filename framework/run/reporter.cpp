#include "run/reporter.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include <flowrun/abi.h>
#include <flowrun/error.hpp>

namespace flowrun::run {
namespace {

/// Warnings of one node that are shown; the rest are in log.jsonl.
constexpr int kShownWarnings = 5;

}  // namespace

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Reporter::~Reporter() {
  {
    const std::lock_guard lock(sampler_mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reporter::attach(const std::string& folder) {
  {
    const std::lock_guard lock(mutex_);
    folder_ = folder;
    log_ = std::make_unique<io::AppendFile>(folder + "/log.jsonl", -1);
  }
  thread_ = std::thread([this] { sample_loop(); });
}

void Reporter::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void Reporter::log(const char* level, const std::string& node, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!log_) return;
  nlohmann::json line{{"time", utc_now()}, {"level", level}, {"message", text}};
  if (!node.empty()) line["node"] = node;
  try {
    log_->append(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } catch (const Error& error) {
    // The log is talk: a full disk stops the run where data is written, not here. Said once.
    std::fprintf(stderr, "warning: %s\n", error.what());
    log_.reset();
  }
}

void Reporter::info(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) print(text);
  log("info", "", text);
}

void Reporter::warning(std::string_view text) {
  print(fmt::format("warning: {}", text));
  log("warning", "", text);
}

void Reporter::detail(std::string_view text) {
  if (verbosity_ == Verbosity::kVerbose) print(text);
  log("debug", "", text);
}

void Reporter::plugin_line(const std::string& node, int level, std::string_view text) {
  log(level >= FLOWRUN_LOG_WARNING ? "warning" : level == FLOWRUN_LOG_INFO ? "info" : "debug", node, text);
  int shown = 0;
  if (level >= FLOWRUN_LOG_WARNING) {
    const std::lock_guard lock(mutex_);
    shown = ++warnings_[node];
  }
  if (level >= FLOWRUN_LOG_WARNING && shown <= kShownWarnings) print(fmt::format("warning: {}: {}", node, text));
  if (level >= FLOWRUN_LOG_WARNING && shown == kShownWarnings + 1) print(fmt::format("warning: {}: more warnings are in log.jsonl", node));
  if (level < FLOWRUN_LOG_WARNING && verbosity_ == Verbosity::kVerbose) print(fmt::format("{}: {}", node, text));
}

void Reporter::set_sampler(std::function<nlohmann::json()> sample) {
  const std::lock_guard lock(sampler_mutex_);
  if (sampler_ && !sample) write_sample();
  sampler_ = std::move(sample);
}

void Reporter::sample_loop() {
  std::unique_lock lock(sampler_mutex_);
  while (!closing_) {
    wake_.wait_for(lock, std::chrono::seconds(1));
    if (sampler_ && !closing_) write_sample();
  }
}

/// With sampler_mutex_ held. Not durable: a torn progress.json is never seen thanks to the rename, and a lost one does not matter.
void Reporter::write_sample() {
  const std::string text = sampler_().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::string temporary = folder_ + "/progress.json.tmp";
  if (std::FILE* file = std::fopen(temporary.c_str(), "we")) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    std::error_code error;
    std::filesystem::rename(temporary, folder_ + "/progress.json", error);
  }
}

}  // namespace flowrun::run
