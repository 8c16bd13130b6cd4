#pragma once

// Parts of a text that are compared with those of others, and the text without some of them.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::dedupers {

enum class UnitKind {
  kLine,       ///< what ends with '\n'
  kParagraph,  ///< lines without a blank one between them
};

/// The units of one text: each has something else than white space in it. What is compared is a unit without the ASCII white space around it.
class TextUnits {
 public:
  TextUnits(std::string_view text, UnitKind kind);

  std::size_t size() const noexcept { return units_.size(); }
  /// The unit without white space around it.
  std::string_view operator[](std::size_t unit) const noexcept;
  /// Returns the text without units. What stands before the first unit, blank lines included, and behind the last one stays; other units go with the end of line or the
  /// blank lines behind them.
  std::string without(const std::vector<bool>& removed) const;

 private:
  struct Unit {
    std::size_t begin, end;  ///< bytes of the text, without the line ends behind
  };

  void split_lines();
  void join_lines();

  std::string_view text_;
  std::vector<Unit> units_;
};

}  // namespace flowrun::dedupers
