#pragma once

// Which records of an archive are pages that are wanted.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "readers/common/warc/warc_records.hpp"

namespace flowrun::readers {

/// The choice of records. Names are compared without regard to case.
class WarcSelection {
 public:
  WarcSelection() = default;
  /// Throws kInvalidArgument for what is no type, media type or status.
  WarcSelection(std::vector<std::string> record_types, std::vector<std::string> media_types, std::vector<std::string> statuses);

  bool wants_type(std::string_view type) const noexcept;
  bool wants_media_type(std::string_view type) const noexcept;
  bool wants_status(std::int64_t status) const noexcept;
  /// Returns whether a record is surely not wanted, before its checksum is known: it is of another type that WARC has, or holds media that a damaged header does not
  /// name by chance (images, sound, video, fonts, applications).
  bool is_unwanted(const WarcHead& head, std::string_view block_start) const;

 private:
  std::vector<std::string> record_types_, media_types_, statuses_;
};

/// Returns whether the block is a response of HTTP: "application/http" with "msgtype=response" or without.
bool holds_http_response(const WarcHead& head) noexcept;

/// Returns "text/html" of "text/html; charset=utf-8".
std::string_view media_type(std::string_view content_type) noexcept;

/// Returns what a body without Content-Type is by its first bytes: "text/html" after the MIME Sniffing Standard (https://mimesniff.spec.whatwg.org, 7.1), "" for anything else.
std::string_view sniff_media_type(std::string_view body) noexcept;

}  // namespace flowrun::readers
