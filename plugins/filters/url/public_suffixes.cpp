#include "public_suffixes.hpp"

#include <algorithm>

#include "filters/common/text.hpp"
#include "punycode.hpp"

namespace flowrun::filters {
namespace {

constexpr std::string_view kPrivatePart = "// ===BEGIN PRIVATE DOMAINS===";
constexpr std::string_view kAceMark = "xn--";

constexpr bool is_ascii_letter_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
constexpr bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

/// The suffix at the begin of a line: "[.*!]*\w\S*" as tldextract reads it, "" for a comment.
std::string_view suffix_of(std::string_view line) {
  const std::size_t name = line.find_first_not_of(".*!");
  if (name == std::string_view::npos || (is_ascii(line[name]) && !is_ascii_letter_or_digit(line[name]) && line[name] != '_')) return {};
  return line.substr(0, line.find_first_of(" \t\r"));
}

std::string_view before(std::string_view text, char mark) { return text.substr(0, text.find(mark)); }

std::string_view without_scheme(std::string_view url) {
  const std::size_t slashes = url.find("//");
  if (slashes == 0) return url.substr(2);
  if (slashes == std::string_view::npos || slashes < 2 || url[slashes - 1] != ':') return url;
  const std::string_view scheme = url.substr(0, slashes - 1);
  const auto fits = [](char c) { return is_ascii_letter_or_digit(c) || c == '+' || c == '-' || c == '.'; };
  return std::all_of(scheme.begin(), scheme.end(), fits) ? url.substr(slashes + 2) : url;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

/// The host with other full stops made dots, and none at its end.
std::string host_of(std::string_view url, const CodePointClasses& classes) {
  std::string_view authority = before(before(before(without_scheme(url), '/'), '?'), '#');
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('['))
    if (const std::size_t end = authority.find(']'); end != std::string_view::npos) return std::string(authority.substr(0, end + 1));
  std::string host(strip(before(authority, ':'), classes));
  for (const std::string_view dot : {"\u3002", "\uff0e", "\uff61"}) replace_all(host, dot, ".");
  host.erase(host.find_last_not_of('.') + 1);
  return host;
}

std::vector<std::string_view> split_labels(std::string_view host) {
  std::vector<std::string_view> labels;
  for (std::size_t begin = 0; begin <= host.size();) {
    const std::size_t end = std::min(host.find('.', begin), host.size());
    labels.push_back(host.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

}  // namespace

PublicSuffixes::PublicSuffixes(std::string_view list) {
  list = list.substr(0, list.find(kPrivatePart));
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find('\n', begin), list.size());
    if (const std::string_view suffix = suffix_of(list.substr(begin, end - begin)); !suffix.empty()) add(suffix);
    begin = end + 1;
  }
}

std::uint32_t PublicSuffixes::child(std::uint32_t node, const std::string& label) {
  const auto [it, added] = nodes_[node].children.try_emplace(label, static_cast<std::uint32_t>(nodes_.size()));
  const std::uint32_t found = it->second;
  if (added) {
    // tldextract decodes a label of a host; encoding those of the list gives the same pairs, once.
    if (!std::all_of(label.begin(), label.end(), is_ascii)) nodes_[node].children.emplace(std::string(kAceMark) + punycode(label), found);
    nodes_.emplace_back();
  }
  return found;
}

void PublicSuffixes::add(std::string_view suffix) {
  std::vector<std::string_view> labels = split_labels(suffix);
  std::uint32_t node = 0;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) node = child(node, std::string(*label));
  nodes_[node].ends = true;
  ++count_;
}

/// Returns the number of the suffix's first label, that of labels where there is none.
std::size_t PublicSuffixes::suffix_begin(const std::vector<std::string_view>& labels) const {
  std::uint32_t node = 0;
  std::size_t found = labels.size();
  for (std::size_t at = labels.size(); at-- > 0;) {
    const std::string label = python_lower(labels[at]);
    const auto& children = nodes_[node].children;
    if (const auto it = children.find(label); it != children.end()) {
      node = it->second;
      if (nodes_[node].ends) found = at;
      continue;
    }
    if (children.contains("*")) return children.contains("!" + label) ? at + 1 : at;
    break;
  }
  return found;
}

Domain PublicSuffixes::domain_of(std::string_view url) const {
  const std::string host = host_of(url, classes_);
  const std::vector<std::string_view> labels = split_labels(host);
  const std::size_t suffix = suffix_begin(labels);
  if (suffix == 0 || suffix == labels.size() || labels[suffix - 1].empty()) return {};
  const std::string_view rest = host;
  const std::string_view registered = rest.substr(static_cast<std::size_t>(labels[suffix - 1].data() - host.data()));
  // Empty labels alone before it are no subdomain unless there are two.
  const bool has_subdomain = suffix > 2 || (suffix == 2 && !labels[0].empty());
  return {std::string(registered), has_subdomain ? host : std::string(registered)};
}

}  // namespace flowrun::filters
