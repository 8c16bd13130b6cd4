#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

/// A table of Markdown: the first column to the left, the others to the right, all padded.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::vector<std::size_t> widths(rows_[0].size(), 3);
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], count_code_points(row[i]));
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t i = 0; i < rows_[r].size(); ++i) out += "| " + padded(rows_[r][i], widths[i], i == 0) + " ";
      out += "|\n";
      if (r > 0) continue;
      for (std::size_t i = 0; i < widths.size(); ++i) out += (i == 0 ? "|:" : "|") + std::string(widths[i] + 1, '-') + (i == 0 ? "" : ":");
      out += "|\n";
    }
    return out;
  }

 private:
  static std::string padded(const std::string& cell, std::size_t width, bool left) {
    const std::string space(width - count_code_points(cell), ' ');
    return left ? cell + space : space + cell;
  }

  std::vector<std::vector<std::string>> rows_;  // the header first; all of one length
};

/// Returns text that cannot end a cell.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out.empty() ? "(none)" : out;
}

/// Returns text in quotes, so that its spaces are seen, as code.
std::string code(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\x7C" : c == '`' ? "\\x60" : std::string(1, c);
  return "`\"" + out + "\"`";
}

std::string whole(const ReportJson& value) {
  std::string digits = std::to_string(value.get<std::uint64_t>());
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string real(const ReportJson& value, int places, double factor = 1) {
  if (value.is_null()) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", places, value.get<double>() * factor);
  return text;
}

std::string percent(const ReportJson& value) { return value.is_null() ? "-" : real(value, 2, 100) + "%"; }

/// Calls f(name, figures) for each domain and then for all of them, of what has "domains" and "total".
template <class F>
void for_each_domain(const ReportJson& object, F&& f) {
  for (const auto& [domain, value] : object.at("domains").items()) f(cell(domain), value);
  if (object.at("domains").size() != 1) f("all", object.at("total"));
}

std::string text_table(const ReportJson& text) {
  Table table({"domain", "documents", "bytes", "characters", "words"});
  for_each_domain(text, [&](const std::string& domain, const ReportJson& counts) {
    table.add({domain, whole(counts.at("documents")), whole(counts.at("bytes")), whole(counts.at("characters")), whole(counts.at("words"))});
  });
  return table.text();
}

std::string comparison_table(const ReportJson& report) {
  std::vector<std::vector<std::string>> rows(1, {"bytes per token"});
  for_each_domain(report.at("text"), [&](const std::string& domain, const ReportJson&) { rows.push_back({domain}); });
  const auto add_column = [&](const std::string& name, const ReportJson& by_domain, const char* key) {
    rows[0].push_back(name);
    std::size_t row = 0;
    for_each_domain(by_domain,
                    [&](const std::string&, const ReportJson& value) { rows[++row].push_back(real(key != nullptr ? value.at(key) : value, 3)); });
  };
  for (const ReportJson& tokenizer : report.at("tokenizers")) add_column(cell(tokenizer.at("name")), tokenizer, "bytes_per_token");
  for (const ReportJson& comparison : report.at("comparison"))
    add_column("ratio to " + cell(comparison.at("baseline")), comparison.at("bytes_per_token_ratio"), nullptr);
  Table table(rows[0]);
  for (std::size_t i = 1; i < rows.size(); ++i) table.add(rows[i]);
  return table.text();
}

std::string tokens_table(const ReportJson& tokenizer) {
  Table table({"domain", "tokens", "bytes/token", "characters/token", "tokens/word", "words in pieces", "single bytes", "parts of characters", "unknown",
               "tokens/document p50", "p99"});
  for_each_domain(tokenizer, [&](const std::string& domain, const ReportJson& figures) {
    const ReportJson& lengths = figures.at("tokens_per_document");
    table.add({domain, whole(figures.at("tokens")), real(figures.at("bytes_per_token"), 3), real(figures.at("characters_per_token"), 3), real(figures.at("fertility"), 3),
               percent(figures.at("continued_word_share")), percent(figures.at("single_byte_share")), percent(figures.at("partial_character_share")),
               percent(figures.at("unknown_share")), whole(lengths.at("p50")), whole(lengths.at("p99"))});
  });
  return table.text();
}

std::string vocabulary_table(const ReportJson& tokenizers) {
  std::vector<std::string> header{"vocabulary"};
  for (const ReportJson& tokenizer : tokenizers) header.push_back(cell(tokenizer.at("name")));
  Table table(std::move(header));
  const auto add = [&](const char* name, auto&& value_of) {
    std::vector<std::string> row{name};
    for (const ReportJson& tokenizer : tokenizers) row.push_back(value_of(tokenizer.at("vocabulary"), tokenizer.at("distribution")));
    table.add(std::move(row));
  };
  using Json = const ReportJson&;
  add("tokens, special ones included", [](Json vocabulary, Json) { return whole(vocabulary.at("size")); });
  add("special", [](Json vocabulary, Json) { return whole(vocabulary.at("special")); });
  add("not used by this text", [](Json vocabulary, Json) { return whole(vocabulary.at("unused").at("count")); });
  add("... of those not special", [](Json vocabulary, Json) { return percent(vocabulary.at("unused").at("share")); });
  add("used once", [](Json vocabulary, Json) { return whole(vocabulary.at("used_once")); });
  add("that begin or end inside a character", [](Json vocabulary, Json) { return whole(vocabulary.at("partial_characters")); });
  for (const char* const share : {"90", "95", "99"})
    add((std::string("that cover ") + share + "% of the text's tokens").c_str(),
        [&](Json, Json distribution) { return whole(distribution.at("ids_to_cover_percent").at(share)); });
  add("entropy, bits", [](Json, Json distribution) { return real(distribution.at("entropy_bits"), 3); });
  add("R\u00E9nyi efficiency, order 2.5", [](Json, Json distribution) { return real(distribution.at("renyi_efficiency"), 4); });
  return table.text();
}

std::string longest_table(const ReportJson& longest) {
  Table table({"longest tokens", "bytes", "id", "in this text"});
  for (const ReportJson& token : longest)
    table.add({code(token.at("text")), whole(token.at("bytes")), std::to_string(token.at("id").get<std::uint64_t>()), whole(token.at("count"))});
  return table.text();
}

}  // namespace

std::string markdown_of(const ReportJson& report) {
  const ReportJson& tokenizers = report.at("tokenizers");
  std::string out = "# Tokenizer report\n\n" + text_table(report.at("text")) + "\n" + comparison_table(report);
  for (const ReportJson& tokenizer : tokenizers)
    out += "\n## " + cell(tokenizer.at("name")) + "\n\n" + tokenizer.at("model").get<std::string>() +
           (tokenizer.at("file").is_null() ? "" : ", " + cell(tokenizer.at("file"))) + "\n\n" + tokens_table(tokenizer);
  out += "\n## Vocabulary\n\n" + vocabulary_table(tokenizers);
  if (const ReportJson& longest = tokenizers.at(0).at("vocabulary").at("longest"); !longest.empty()) out += "\n" + longest_table(longest);
  return out;
}

}  // namespace flowrun::tokenizers
