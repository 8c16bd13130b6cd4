#include "config/diagnostics.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "config/utf8.hpp"

namespace flowrun::config {
namespace {

/// Code points shown of a source line: enough for any line that a person writes, and one screen of a generated one.
constexpr std::size_t kMaxShownColumns = 160;

auto fields(const Diagnostic& d) {
  return std::tie(d.where.file, d.where.line, d.where.column, d.severity, d.code, d.message, d.found, d.expected, d.suggestion, d.node,
                  d.plugin);
}

/// Returns valid UTF-8 without control characters: a file must not be able to send escape sequences to a terminal.
std::string printable(std::string_view text) {
  std::string result = replace_invalid_utf8(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') c = c == '\t' ? ' ' : '?';
  }
  return result;
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
  std::size_t begin = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  std::string_view result = text.substr(begin, text.find('\n', begin) - begin);
  if (!result.empty() && result.back() == '\r') result.remove_suffix(1);
  return result;
}

/// Returns code points [from, from + count) of `text`.
std::string_view slice(std::string_view text, std::size_t from, std::size_t count) {
  const auto skip = [&](std::size_t at, std::size_t n) {
    while (n > 0 && at < text.size()) {
      at += std::max<std::size_t>(utf8_length(text, at), 1);
      --n;
    }
    return std::min(at, text.size());
  };
  const std::size_t begin = skip(0, from);
  return text.substr(begin, skip(begin, count) - begin);
}

/// Returns the source line and a line with the caret, or nothing where the place has no text.
std::string snippet(std::string_view line, std::uint32_t column, std::string_view colour, std::string_view plain) {
  if (column == 0) return {};
  std::size_t caret = column - 1;
  std::size_t from = 0;
  if (caret >= kMaxShownColumns) from = caret - kMaxShownColumns / 2;
  const std::string shown = printable(slice(line, from, kMaxShownColumns));
  caret -= from;
  if (caret > count_code_points(shown)) return {};
  return shown + "\n" + std::string(caret, ' ') + std::string(colour) + "^" + std::string(plain) + "\n";
}

}  // namespace

void Diagnostics::fill_plugins(const std::map<std::string, std::string>& plugin_by_node) {
  for (Diagnostic& item : items_) {
    if (!item.node || item.plugin) continue;
    if (const auto found = plugin_by_node.find(*item.node); found != plugin_by_node.end() && !found->second.empty()) item.plugin = found->second;
  }
}

bool Diagnostics::has_errors() const {
  return std::any_of(items_.begin(), items_.end(), [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::unordered_map<std::string_view, std::size_t> order;
  for (const Diagnostic& d : items_) order.emplace(d.where.file, order.size());
  std::vector<std::pair<std::size_t, const Diagnostic*>> places;
  places.reserve(items_.size());
  for (const Diagnostic& d : items_) places.emplace_back(order.at(d.where.file), &d);
  std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->where.line, a.second->where.column) <
           std::tie(b.first, b.second->where.line, b.second->where.column);
  });

  std::vector<Diagnostic> result;
  result.reserve(items_.size());
  // Compares within one place only; a place has a handful of findings.
  std::size_t place_begin = 0;
  for (const auto& [file, d] : places) {
    if (!result.empty() && std::tie(result.back().where.file, result.back().where.line, result.back().where.column) !=
                               std::tie(d->where.file, d->where.line, d->where.column)) {
      place_begin = result.size();
    }
    const auto begin = result.begin() + static_cast<std::ptrdiff_t>(place_begin);
    if (std::none_of(begin, result.end(), [d = d](const Diagnostic& other) { return fields(other) == fields(*d); })) result.push_back(*d);
  }
  return result;
}

std::string render(const Diagnostic& diagnostic, const std::map<std::string, std::string>& sources, bool colour) {
  const bool is_error = diagnostic.severity == Severity::kError;
  const std::string_view bold = colour ? "\x1b[1m" : "";
  const std::string_view mark = !colour ? "" : is_error ? "\x1b[1;31m" : "\x1b[1;35m";
  const std::string_view plain = colour ? "\x1b[0m" : "";

  std::string text(bold);
  text +=
      printable(diagnostic.where.file) + ":" + std::to_string(diagnostic.where.line) + ":" + std::to_string(diagnostic.where.column) + ": ";
  text += mark;
  text += is_error ? "error: " : "warning: ";
  text += plain;
  text += printable(diagnostic.message) + "\n";
  if (const auto source = sources.find(diagnostic.where.file); source != sources.end()) {
    text += snippet(line_of(source->second, diagnostic.where.line), diagnostic.where.column, mark, plain);
  }
  if (diagnostic.suggestion) text += "help: did you mean '" + printable(*diagnostic.suggestion) + "'?\n";
  if (diagnostic.node) {
    text += "  in node '" + printable(*diagnostic.node) + "'";
    if (diagnostic.plugin) text += " (" + printable(*diagnostic.plugin) + ")";
    text += "\n";
  }
  return text;
}

}  // namespace flowrun::config
