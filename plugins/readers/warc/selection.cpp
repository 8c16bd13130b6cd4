#include "selection.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <utility>

#include "http_response.hpp"

namespace flowrun::readers {
namespace {

constexpr std::string_view kReadable[] = {"response", "resource", "conversion"};

/// Returns whether `type` matches "text/html", "text/*" or "*/*".
bool matches_media_type(std::string_view pattern, std::string_view type) noexcept {
  if (pattern == "*/*") return true;
  if (!pattern.ends_with("/*")) return same_name(pattern, type);
  const std::size_t size = pattern.size() - 1;
  return same_name(pattern.substr(0, size), type.substr(0, size));
}

/// Returns whether `status` matches "200", "2xx" or "*".
bool matches_status(std::string_view pattern, std::int64_t status) noexcept {
  if (pattern == "*") return true;
  const std::string text = std::to_string(status);
  return pattern.ends_with("xx") ? text.size() == 3 && text[0] == pattern[0] : pattern == text;
}

bool is_status_pattern(std::string_view text) noexcept {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text == "*" || (text.size() == 3 && is_digit(text[0]) && (text.substr(1) == "xx" || (is_digit(text[1]) && is_digit(text[2]))));
}

template <class Test>
void require(const char* parameter, const std::vector<std::string>& texts, const char* expected, const Test& test) {
  if (texts.empty()) throw Error(Code::kInvalidArgument, std::string("'") + parameter + "' is empty, expected " + expected);
  for (const std::string& text : texts)
    if (!test(text)) throw Error(Code::kInvalidArgument, std::string("'") + parameter + "' has '" + text + "', expected " + expected);
}

bool is_media(std::string_view type) noexcept {
  constexpr std::string_view kMedia[] = {"image/*", "audio/*", "video/*", "font/*", "application/*"};
  return std::any_of(std::begin(kMedia), std::end(kMedia), [&](std::string_view pattern) { return matches_media_type(pattern, type); });
}

}  // namespace

WarcSelection::WarcSelection(std::vector<std::string> record_types, std::vector<std::string> media_types, std::vector<std::string> statuses)
    : record_types_(std::move(record_types)), media_types_(std::move(media_types)), statuses_(std::move(statuses)) {
  require("record_types", record_types_, "\"response\", \"resource\" or \"conversion\"", [](std::string_view text) { return std::find(std::begin(kReadable), std::end(kReadable), text) != std::end(kReadable); });
  require("media_types", media_types_, "types such as \"text/html\", \"text/*\" or \"*/*\"", [](std::string_view text) {
    const std::size_t slash = text.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() && text.find_first_of("; ") == std::string_view::npos;
  });
  require("http_statuses", statuses_, "statuses such as \"200\", \"2xx\" or \"*\"", is_status_pattern);
}

bool WarcSelection::wants_type(std::string_view type) const noexcept {
  return std::any_of(record_types_.begin(), record_types_.end(), [&](const std::string& wanted) { return same_name(wanted, type); });
}

bool WarcSelection::wants_media_type(std::string_view type) const noexcept {
  return std::any_of(media_types_.begin(), media_types_.end(), [&](const std::string& pattern) { return matches_media_type(pattern, type); });
}

bool WarcSelection::wants_status(std::int64_t status) const noexcept {
  return std::any_of(statuses_.begin(), statuses_.end(), [&](const std::string& pattern) { return matches_status(pattern, status); });
}

bool WarcSelection::is_unwanted(const WarcHead& head, std::string_view block_start) const {
  if (!wants_type(head.type)) return is_warc_type(head.type);
  std::string_view type = media_type(head.fields.find("WARC-Identified-Payload-Type").value_or(""));
  HttpResponse response;
  if (type.empty() && holds_http_response(head) && header_size(block_start) != std::string_view::npos && read_http_response(block_start, response))
    type = media_type(response.fields.find("Content-Type").value_or(""));
  return is_media(type) && !wants_media_type(type);
}

bool holds_http_response(const WarcHead& head) noexcept {
  return same_name(head.type, "response") && same_name(media_type(head.fields.find("Content-Type").value_or("")), "application/http");
}

std::string_view media_type(std::string_view content_type) noexcept { return trimmed(content_type.substr(0, content_type.find(';'))); }

std::string_view sniff_media_type(std::string_view body) noexcept {
  constexpr std::string_view kBlanks = "\t\n\f\r ";
  constexpr std::string_view kTags[] = {"<!doctype html", "<html", "<head", "<script", "<iframe", "<h1", "<div", "<font", "<table", "<a", "<style", "<title", "<b", "<body", "<br", "<p"};
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  body.remove_prefix(std::min(body.find_first_not_of(kBlanks), body.size()));
  if (body.starts_with("<!--")) return "text/html";
  const bool found = std::any_of(std::begin(kTags), std::end(kTags), [&](std::string_view tag) {
    return body.size() > tag.size() && same_name(body.substr(0, tag.size()), tag) && (body[tag.size()] == ' ' || body[tag.size()] == '>');
  });
  return found ? "text/html" : "";
}

}  // namespace flowrun::readers
