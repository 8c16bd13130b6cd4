#include "graph/records.hpp"

#include <cmath>
#include <deque>
#include <optional>

#include <fmt/format.h>

#include <flowrun/descriptor.hpp>

#include "base/durable.hpp"
#include "base/zstd_stream.hpp"

namespace flowrun::graph {
namespace {

Tally total_of(const std::map<std::string, Tally>& tallies) {
  Tally total;
  for (const auto& [name, tally] : tallies) total += tally;
  return total;
}

nlohmann::json to_json(const Tally& tally) { return {{"documents", tally.documents}, {"bytes", tally.bytes}}; }

Tally tally_from(const nlohmann::json& object) {
  return {object.at("documents").get<std::int64_t>(), object.at("bytes").get<std::int64_t>(), object.value("files", std::int64_t{0})};
}

/// Renders a drop's figure: null for none.
std::string figure(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == std::floor(value) && std::abs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  return json::number(value);
}

}  // namespace

void Counters::add(const Counters& other) {
  in += other.in;
  out += other.out;
  for (const auto& [name, tally] : other.dropped) dropped[name] += tally;
  for (const auto& [name, tally] : other.errors) errors[name] += tally;
  for (const auto& [name, file] : other.unread) unread[name] += file;
}

Tally Counters::dropped_total() const { return total_of(dropped); }
Tally Counters::errors_total() const { return total_of(errors); }

nlohmann::json Counters::to_json() const {
  nlohmann::json object{{"in", graph::to_json(in)}, {"out", graph::to_json(out)}, {"dropped", nlohmann::json::object()}, {"errors", nlohmann::json::object()}};
  for (const auto& [name, tally] : dropped) object["dropped"][name] = graph::to_json(tally);
  for (const auto& [name, tally] : errors) {
    auto& entry = object["errors"][name] = graph::to_json(tally);
    // An error of no document is the unreadable rest of a file, even where nothing stored is left of it.
    if (tally.documents == 0 || tally.file_bytes != 0) entry["files"] = tally.file_bytes;
  }
  object["changed"] = {{"bytes", out.bytes + dropped_total().bytes + errors_total().bytes - in.bytes}};
  return object;
}

nlohmann::json Counters::to_manifest() const {
  nlohmann::json object = to_json();
  for (const auto& [name, file] : unread) object["unread"][name] = {{"bytes", file.bytes}, {"ends_early", file.ends_early}};
  return object;
}

Counters Counters::from_manifest(const nlohmann::json& object) {
  Counters counters;
  counters.in = tally_from(object.at("in"));
  counters.out = tally_from(object.at("out"));
  for (const auto& [name, tally] : object.at("dropped").items()) counters.dropped[name] = tally_from(tally);
  for (const auto& [name, tally] : object.at("errors").items()) counters.errors[name] = tally_from(tally);
  if (const auto unread = object.find("unread"); unread != object.end())
    for (const auto& [name, file] : unread->items()) counters.unread[name] = {file.at("bytes").get<std::int64_t>(), file.at("ends_early").get<bool>()};
  return counters;
}

struct DropLog::Impl {
  std::string path;
  std::mutex mutex;  // protects everything below
  std::uint64_t next = 0;
  std::deque<std::optional<std::vector<DropRecord>>> pending;  // of the batches from `next` on; none: not reported yet
  std::unique_ptr<io::StagedFile> file;
  std::optional<ZstdWriter> writer;

  void write(const std::vector<DropRecord>& drops) {
    if (drops.empty()) return;
    if (!file) {
      file = std::make_unique<io::StagedFile>(path);
      writer.emplace([this](const void* data, std::size_t bytes) { file->write(data, bytes); });
    }
    std::string text;
    for (const auto& drop : drops) {
      text += json::quote(drop.id) + "\t\"reason\":" + json::quote(drop.reason) + ",\"value\":" + figure(drop.value) + ",\"threshold\":" + figure(drop.threshold);
      if (!drop.kept.empty()) text += ",\"kept\":" + json::quote(drop.kept);
      text += "\n";
    }
    writer->write(text);
  }
};

DropLog::DropLog(std::string path) : impl_(std::make_unique<Impl>()) { impl_->path = std::move(path); }
DropLog::~DropLog() = default;

void DropLog::add(std::uint64_t sequence, std::vector<DropRecord> drops) {
  const std::lock_guard lock(impl_->mutex);
  auto& pending = impl_->pending;
  const auto place = static_cast<std::size_t>(sequence - impl_->next);
  if (place >= pending.size()) pending.resize(place + 1);
  pending[place] = std::move(drops);
  for (; !pending.empty() && pending.front(); pending.pop_front(), ++impl_->next) impl_->write(*pending.front());
}

void DropLog::append(std::vector<DropRecord> drops) {
  std::uint64_t next = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    next = impl_->next + impl_->pending.size();
  }
  add(next, std::move(drops));
}

bool DropLog::finish() {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& drops : impl_->pending)
    if (drops) impl_->write(*drops);
  impl_->pending.clear();
  if (!impl_->file) return false;
  impl_->writer->finish();
  impl_->file->commit();
  return true;
}

std::string read_drop_log(const std::string& path) {
  std::string text;
  zstd_read_file(path, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace flowrun::graph
