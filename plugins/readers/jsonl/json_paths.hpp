#pragma once

// Where in a record its parts are: paths of keys, and all paths of a reader as one tree, so that a record is walked once.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// A key on a path, and whether the path goes on in each item of the list that stands under it.
struct PathStep {
  std::string key;
  bool every_item = false;
  bool operator==(const PathStep&) const = default;
};

/// Reads "key", "outer.inner", "list[].key" or "list[]". A backslash makes the '.', '[' or '\' behind it part of a key. Throws kInvalidArgument.
std::vector<PathStep> read_path(std::string_view text);

/// A key that is wanted, for itself (targets) or for keys below it (keys), never for both.
struct WantedKey {
  std::string key;
  bool every_item = false;
  std::string path;                   ///< as the first of its paths is written, to this key
  std::vector<WantedKey> keys;
  std::vector<std::size_t> targets;   ///< what the value is for
  std::vector<std::size_t> below;     ///< the targets of this key and all below

  /// Adds a path for a target. Throws kInvalidArgument where it leads through a value that another path wants whole, or the other way.
  void add(std::string_view text, std::size_t target);
  /// Returns the wanted key below, or nullptr.
  WantedKey* find(std::string_view name) noexcept;
};

}  // namespace flowrun::readers
