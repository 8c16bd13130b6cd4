#pragma once

// Lines of "Name: value", as WARC records and HTTP messages begin with.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::readers {

/// Returns the size of a header with the blank line that ends it; npos where that is missing. Lines end with CR LF or LF.
std::size_t header_size(std::string_view bytes) noexcept;

/// The fields of a header. Views are of the bytes that were read, folded values of this object.
class HeaderFields {
 public:
  /// Reads the lines of a header, and returns the first, which is no field. Lines without a colon are left out; a line that begins with a blank goes on with the one before.
  std::string_view read(std::string_view header);
  /// Returns the value of the first field of that name, in any case; nothing where there is none.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

 private:
  void fold(std::string_view more);

  std::vector<std::pair<std::string_view, std::string_view>> fields_;
  std::deque<std::string> folded_;
};

/// Returns whether two texts are equal but for the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right) noexcept;

/// Returns `text` without blanks, tabs and line ends at its ends.
std::string_view trimmed(std::string_view text) noexcept;

/// Returns a number of decimal digits alone; nothing for another text, and above 2^63 - 1.
std::optional<std::int64_t> read_size(std::string_view text) noexcept;

/// Returns a value as UTF-8: itself where it is, else its bytes as windows-1252 has them (RFC 9110 leaves open what they mean), in `buffer`.
std::string_view header_text(std::string_view value, std::string& buffer);

}  // namespace flowrun::readers
