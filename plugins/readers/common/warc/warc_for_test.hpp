#pragma once

// Records of WARC for tests.

#include <string>
#include <string_view>

namespace flowrun::readers {

/// A record with the headers that every record has, and `more` lines ("Name: value\r\n").
inline std::string warc_record(std::string_view type, std::string_view block, const std::string& more = {}, const std::string& version = "WARC/1.0") {
  return version + "\r\nWARC-Type: " + std::string(type) + "\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n" + more + "Content-Length: " + std::to_string(block.size()) + "\r\n\r\n" + std::string(block) + "\r\n\r\n";
}

/// A record of a page at http://x.org/<name>, as a server answers.
inline std::string warc_page(const std::string& name, const std::string& body, const std::string& headers = "Content-Type: text/html; charset=utf-8\r\n", const std::string& more = {}) {
  return warc_record("response", "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body,
                     "WARC-Record-ID: <urn:uuid:" + name + ">\r\nWARC-Target-URI: http://x.org/" + name + "\r\nContent-Type: application/http; msgtype=response\r\n" + more);
}

}  // namespace flowrun::readers
