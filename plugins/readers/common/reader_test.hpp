#pragma once

// What tests of readers of files share: a folder with their input, and a node that reads it to the end.

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::readers {

class ReaderTest : public ::testing::Test {
 protected:
  /// The node is told that files stand at `shown` and their name.
  explicit ReaderTest(std::string shown = {}) : shown_(std::move(shown)) {}

  /// Writes files, by name and content, and returns them as the value of `paths`.
  testing::Paths paths(const std::vector<std::pair<std::string, std::string>>& files) {
    testing::Paths out({});
    for (const auto& [name, bytes] : files) out.files.push_back({folder_.write(name, bytes), shown_ + name});
    return out;
  }

  /// Makes a node, reads all that it gives, and returns the documents; `batches_` has their columns.
  std::vector<testing::Document> read(std::vector<std::pair<std::string, testing::Value>> parameters, testing::OpenOptions options = {}) {
    batches_.clear();  // before the node that has given them ends
    node_ = std::make_unique<testing::Runner>(flowrun_plugin_v1, std::move(parameters));
    node_->open({}, options);
    batches_ = node_->read_all();
    std::vector<testing::Document> rows;
    for (const testing::Batch& batch : batches_)
      for (testing::Document& row : document_rows(batch)) rows.push_back(std::move(row));
    return rows;
  }

  const auto& errors() const { return node_->record_errors(); }
  /// Returns what the node has left out, as "ID REASON" with the value behind it where there is one.
  std::vector<std::string> dropped() const {
    std::vector<std::string> lines;
    for (const testing::Dropped& drop : node_->drops()) {
      const bool has_value = drop.value == drop.value;
      lines.push_back(drop.id + ' ' + drop.reason + (has_value ? ' ' + std::to_string(static_cast<std::int64_t>(drop.value)) : std::string()));
    }
    return lines;
  }

  std::string shown_;
  testing::TemporaryFolder folder_;
  std::unique_ptr<testing::Runner> node_;
  std::vector<testing::Batch> batches_;
};

}  // namespace flowrun::readers
