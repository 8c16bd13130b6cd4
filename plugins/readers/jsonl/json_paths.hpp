#pragma once

// Where in a record its parts are: paths of keys, and all paths of a reader as one tree, so that a record is walked once.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
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
  bool found = false;                 ///< it has stood in a record
  std::vector<std::string> names;     ///< keys that stood beside those below, in records that are looked at (see `note`)

  /// Adds a path for a target. Throws kInvalidArgument where it leads through a value that another path wants whole, or the other way.
  void add(std::string_view text, std::size_t target);
  /// Returns the wanted key below, or nullptr.
  WantedKey* find(std::string_view name) noexcept { return const_cast<WantedKey*>(std::as_const(*this).find(name)); }
  const WantedKey* find(std::string_view name) const noexcept;
  /// Notes that `name` stands among the keys below, and is `wanted` (or nullptr). While a wanted one has not been found, names of the first records are kept: of one that is
  /// misspelt in the graph, the right one is among them.
  void note(std::string_view name, WantedKey* wanted) {
    if (found_count_ < keys.size()) note_while_missing(name, wanted);
  }
  /// Adds what another tree of the same paths has noted.
  void merge(const WantedKey& other);

 private:
  void note_while_missing(std::string_view name, WantedKey* wanted);
  void keep_name(std::string_view name);

  std::size_t found_count_ = 0;  ///< of `keys`
  int names_left_ = 4096;        ///< to be looked at: what costs time for every key must end
};

}  // namespace flowrun::readers
