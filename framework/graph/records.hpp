#pragma once

// What each node counts: documents and bytes in, out, dropped by reason, refused by code; and the log of drops in order. All of it becomes part of
// an artifact's manifest, so that funnel.json is exact after any kill and with any cached stage.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

namespace flowrun::graph {

struct Tally {
  std::int64_t documents = 0;
  std::int64_t bytes = 0;       ///< of text
  std::int64_t file_bytes = 0;  ///< of unreadable rests of files (errors of sources alone)
  Tally& operator+=(const Tally& other) {
    documents += other.documents;
    bytes += other.bytes;
    file_bytes += other.file_bytes;
    return *this;
  }
};

/// What could not be read of one file.
struct UnreadFile {
  std::int64_t bytes = 0;   ///< stored, known to be unread
  bool ends_early = false;  ///< how many bytes are missing behind its end is not known
  UnreadFile& operator+=(const UnreadFile& other) {
    bytes += other.bytes;
    ends_early = ends_early || other.ends_early;
    return *this;
  }
};

struct Counters {
  Tally in, out;
  std::map<std::string, Tally> dropped, errors;
  std::map<std::string, UnreadFile> unread;  ///< of a source, by the name that the file has in messages

  void add(const Counters& other);
  Tally dropped_total() const;
  Tally errors_total() const;
  /// Returns the object of funnel.json without "plugin" and "stage"; `changed` follows from the other figures.
  nlohmann::json to_json() const;
  /// Returns what a manifest keeps: that object, and the files that were not read to their end.
  nlohmann::json to_manifest() const;
  static Counters from_manifest(const nlohmann::json& object);
};

/// One dropped document.
struct DropRecord {
  std::int64_t row = 0;
  std::string id;
  std::string reason;
  double value = 0, threshold = 0;  ///< NaN: none
  std::string kept{};               ///< id of the document that stays in its place; "": none
};

/// Writes drops in order of (sequence, row) to a zstd file; batches may be reported in any order. [any thread]
class DropLog {
 public:
  /// Nothing is created before the first drop.
  explicit DropLog(std::string path);
  ~DropLog();
  DropLog(const DropLog&) = delete;
  DropLog& operator=(const DropLog&) = delete;
  /// Takes the drops of batch `sequence` (maybe none). Each sequence is reported once; the numbers are dense from 0.
  void add(std::uint64_t sequence, std::vector<DropRecord> drops);
  /// Takes drops that are said after all batches were reported.
  void append(std::vector<DropRecord> drops);
  /// Closes the file. Returns whether there was a drop.
  bool finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Counters and drops of one node while a stage runs.
class NodeRecords {
 public:
  explicit NodeRecords(const std::string& drops_path) : drops(drops_path) {}
  void add(const Counters& batch) {
    const std::lock_guard lock(mutex_);
    counters_.add(batch);
  }
  Counters counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }
  DropLog drops;

 private:
  mutable std::mutex mutex_;  // protects counters_
  Counters counters_;
};

/// Returns a drop log's text, decompressed; lines of `<id as JSON>\t"reason":...,"value":...,"threshold":...`, and `,"kept":...` where there is one.
std::string read_drop_log(const std::string& path);

}  // namespace flowrun::graph
