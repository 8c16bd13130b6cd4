#include "http_response.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "content_coding.hpp"

namespace flowrun::readers {
namespace {

/// More codings than any server applies: each may multiply the work.
constexpr std::size_t kMaxCodings = 4;

/// Returns the parts of a list with commas, the last first.
std::vector<std::string_view> codings_of(std::string_view list) {
  std::vector<std::string_view> codings;
  while (!list.empty()) {
    const std::size_t comma = list.rfind(',');
    const std::string_view coding = trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
    if (!coding.empty()) codings.push_back(coding);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  }
  return codings;
}

}  // namespace

bool read_http_response(std::string_view bytes, HttpResponse& response) {
  constexpr std::string_view kName = "HTTP/";
  if (!bytes.starts_with(kName)) return false;
  const std::size_t size = std::min(header_size(bytes), bytes.size());
  const std::string_view line = response.fields.read(bytes.substr(0, size));
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view rest = trimmed(line.substr(blank));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + std::min<std::size_t>(rest.size(), 3), response.status);
  if (error != std::errc() || end != rest.data() + 3) return false;
  response.body = bytes.substr(size);
  return true;
}

std::optional<BodyFault> HttpBody::decode(const HttpResponse& response, bool is_cut, std::size_t limit, std::string_view& body) {
  body = response.body;
  std::size_t used = 0;
  const auto take = [&](BodyResult result, std::string_view coding) -> std::optional<BodyFault> {
    if (result == BodyResult::kNotEncoded) return {};
    body = buffers_[used];
    used = 1 - used;
    if (result == BodyResult::kWhole || (is_cut && result == BodyResult::kCut)) return {};
    if (result == BodyResult::kTooLarge) return BodyFault{"record_too_large", "the body has more than " + std::to_string(limit) + " bytes ('max_record_bytes') behind '" + std::string(coding) + "'"};
    return BodyFault{"bad_http_body", "the body " + std::string(result == BodyResult::kCut ? "ends too early" : "is damaged") + " for '" + std::string(coding) + "', as its header calls it"};
  };
  const auto transfer = response.fields.find("Transfer-Encoding");
  if (transfer && !codings_of(*transfer).empty() && same_name(codings_of(*transfer).front(), "chunked"))
    if (auto fault = take(join_chunks(body, buffers_[used]), "chunked")) return fault;
  const std::vector<std::string_view> codings = codings_of(response.fields.find("Content-Encoding").value_or(""));
  if (codings.size() > kMaxCodings) return BodyFault{"bad_http_body", "the body has " + std::to_string(codings.size()) + " codings, expected at most " + std::to_string(kMaxCodings)};
  for (const std::string_view coding : codings)
    if (auto fault = take(decompress_body(coding, body, limit, buffers_[used]), coding)) return fault;
  return {};
}

}  // namespace flowrun::readers
