#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <utility>

namespace flowrun::tokenizers {
namespace {

constexpr double kRenyiOrder = 2.5;          // the one that predicts translation quality best in Zouhar et al. 2023
constexpr std::size_t kListedUnused = 100;   // enough to see of what kind they are
constexpr std::size_t kUnusedRanges = 16;

ReportJson ratio(std::uint64_t a, std::uint64_t b) { return b == 0 ? ReportJson() : ReportJson(static_cast<double>(a) / static_cast<double>(b)); }

std::uint64_t sum_of(const std::vector<std::uint64_t>& counts) { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

template <class Counts>
Counts total_of(const std::map<std::string, Counts>& domains) {
  Counts total;
  for (const auto& [domain, counts] : domains) total += counts;
  return total;
}

ReportJson figures_of(const TextCounts& text) {
  return {{"documents", text.documents}, {"bytes", text.bytes}, {"characters", text.characters}, {"words", text.words}};
}

ReportJson lengths_of(const TextCounts& text, const TokenCounts& counts) {
  ReportJson lengths{{"mean", ratio(counts.tokens, text.documents)}};
  lengths["min"] = counts.documents_by_tokens.empty() ? 0 : counts.documents_by_tokens.begin()->first;
  for (const std::uint64_t percent : {10, 50, 90, 99}) lengths["p" + std::to_string(percent)] = quantile(counts.documents_by_tokens, percent);
  lengths["max"] = quantile(counts.documents_by_tokens, 100);
  return lengths;
}

ReportJson figures_of(const TextCounts& text, const TokenCounts& counts) {
  return {{"tokens", counts.tokens},
          {"bytes_per_token", ratio(text.bytes, counts.tokens)},
          {"characters_per_token", ratio(text.characters, counts.tokens)},
          {"fertility", ratio(counts.tokens, text.words)},
          {"continued_words", counts.continued_words},
          {"continued_word_share", ratio(counts.continued_words, text.words)},
          {"single_byte_tokens", counts.single_byte},
          {"single_byte_share", ratio(counts.single_byte, counts.tokens)},
          {"partial_character_tokens", counts.partial_characters},
          {"partial_character_share", ratio(counts.partial_characters, counts.tokens)},
          {"unknown_tokens", counts.unknown},
          {"unknown_share", ratio(counts.unknown, counts.tokens)},
          {"tokens_per_document", lengths_of(text, counts)}};
}

/// Special tokens stand for no text, so whether a text uses them says nothing.
bool is_ordinary(const TokenText& token) { return token.exists && !token.special; }

ReportJson unused_ids_of(const TokenizerTally& tally) {
  const auto& tokens = tally.vocabulary().tokens;
  const std::size_t width = std::max<std::size_t>(1, (tokens.size() + kUnusedRanges - 1) / kUnusedRanges);
  ReportJson ranges = ReportJson::array(), listed = ReportJson::array();
  std::uint64_t count = 0, ordinary = 0;
  for (std::size_t first = 0; first < tokens.size(); first += width) {
    const std::size_t end = std::min(first + width, tokens.size());
    std::uint64_t here = 0, unused = 0;
    for (std::size_t id = first; id < end; ++id) {
      if (!is_ordinary(tokens[id])) continue;
      ++here;
      if (tally.counts()[id] > 0) continue;
      ++unused;
      if (listed.size() < kListedUnused) listed.push_back(id);
    }
    ranges.push_back({{"first", first}, {"last", end - 1}, {"tokens", here}, {"unused", unused}});
    count += unused;
    ordinary += here;
  }
  return {{"count", count}, {"share", ratio(count, ordinary)}, {"by_range", std::move(ranges)}, {"ids", std::move(listed)}};
}

ReportJson longest_of(const TokenizerTally& tally, std::size_t count) {
  const auto& tokens = tally.vocabulary().tokens;
  std::vector<std::size_t> ids;
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (is_ordinary(tokens[id])) ids.push_back(id);
  count = std::min(count, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(), [&](std::size_t a, std::size_t b) {
    return tokens[a].text.size() != tokens[b].text.size() ? tokens[a].text.size() > tokens[b].text.size() : a < b;
  });
  ReportJson list = ReportJson::array();
  for (std::size_t i = 0; i < count; ++i)
    list.push_back({{"id", ids[i]}, {"bytes", tokens[ids[i]].text.size()}, {"count", tally.counts()[ids[i]]}, {"text", printable(tokens[ids[i]].text)}});
  return list;
}

/// Ordinary tokens by the bytes that they stand for, and how often such tokens stand in the text.
ReportJson token_bytes_of(const TokenizerTally& tally) {
  std::map<std::size_t, std::pair<std::uint64_t, std::uint64_t>> by_bytes;
  for (std::size_t id = 0; id < tally.counts().size(); ++id) {
    if (!is_ordinary(tally.vocabulary().tokens[id])) continue;
    auto& [entries, tokens] = by_bytes[tally.vocabulary().tokens[id].text.size()];
    ++entries;
    tokens += tally.counts()[id];
  }
  ReportJson list = ReportJson::array();
  for (const auto& [bytes, entry] : by_bytes) list.push_back({{"bytes", bytes}, {"vocabulary", entry.first}, {"tokens", entry.second}});
  return list;
}

ReportJson vocabulary_of(const TokenizerTally& tally, std::size_t longest_count) {
  const VocabularyTexts& vocabulary = tally.vocabulary();
  std::uint64_t used = 0, used_once = 0, partial = 0;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (!is_ordinary(vocabulary.tokens[id])) continue;
    used += tally.counts()[id] > 0 ? 1 : 0;
    used_once += tally.counts()[id] == 1 ? 1 : 0;
    partial += vocabulary.tokens[id].partial_character ? 1 : 0;
  }
  return {{"size", vocabulary.size},
          {"special", vocabulary.special},
          {"partial_characters", partial},
          {"used", used},
          {"used_once", used_once},
          {"unused", unused_ids_of(tally)},
          {"longest", longest_of(tally, longest_count)},
          {"token_bytes", token_bytes_of(tally)}};
}

ReportJson distribution_of(const TokenizerTally& tally) {
  const double renyi = entropy_bits(tally.counts(), kRenyiOrder), possible = std::log2(static_cast<double>(tally.vocabulary().size));
  ReportJson coverage;
  for (const std::uint64_t percent : {90, 95, 99}) coverage[std::to_string(percent)] = ids_to_cover(tally.counts(), percent);
  return {{"entropy_bits", entropy_bits(tally.counts(), 1)},
          {"renyi_order", kRenyiOrder},
          {"renyi_entropy_bits", renyi},
          {"renyi_efficiency", possible > 0 ? ReportJson(renyi / possible) : ReportJson()},
          {"ids_to_cover_percent", std::move(coverage)}};
}

/// Returns `map`'s value, or zeros: a domain whose documents were all refused has none.
template <class Counts>
Counts at_or_zero(const std::map<std::string, Counts>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? Counts{} : found->second;
}

ReportJson tokenizer_of(const std::map<std::string, TextCounts>& texts, const ReportedTokenizer& tokenizer, std::size_t longest_count) {
  ReportJson domains = ReportJson::object();
  for (const auto& [domain, text] : texts) domains[domain] = figures_of(text, at_or_zero(tokenizer.tally->domains(), domain));
  return {{"name", tokenizer.name},
          {"file", tokenizer.file.empty() ? ReportJson() : ReportJson(tokenizer.file)},
          {"model", tokenizer.model_type},
          {"domains", std::move(domains)},
          {"total", figures_of(total_of(texts), total_of(tokenizer.tally->domains()))},
          {"vocabulary", vocabulary_of(*tokenizer.tally, longest_count)},
          {"distribution", distribution_of(*tokenizer.tally)}};
}

/// Bytes per token over the baseline's, of the same text: its tokens over ours.
ReportJson comparison_of(const std::map<std::string, TextCounts>& texts, const TokenizerTally& own, const ReportedTokenizer& baseline) {
  ReportJson domains = ReportJson::object();
  for (const auto& [domain, text] : texts)
    domains[domain] = ratio(at_or_zero(baseline.tally->domains(), domain).tokens, at_or_zero(own.domains(), domain).tokens);
  return {{"baseline", baseline.name},
          {"bytes_per_token_ratio", {{"domains", std::move(domains)}, {"total", ratio(total_of(baseline.tally->domains()).tokens, total_of(own.domains()).tokens)}}}};
}

std::string short_name(const std::string& file) {
  namespace fs = std::filesystem;
  const fs::path path(file);
  if (path.filename() != "tokenizer.json") return path.stem().string();
  fs::path folder = path.parent_path();
  while (folder.filename() == "tokenizer" || folder.filename() == "model") folder = folder.parent_path();
  const std::string name = folder.filename().string();
  return name.empty() || name == "." || name == ".." ? file : name;
}

}  // namespace

std::vector<std::string> short_names(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(short_name(file));
  std::map<std::string, int> uses{{kArtifactName, 1}};
  for (const std::string& name : names) ++uses[name];
  for (std::size_t i = 0; i < files.size(); ++i)
    if (uses[names[i]] > 1) names[i] = files[i];
  return names;
}

std::uint64_t quantile(const std::map<std::uint64_t, std::uint64_t>& documents_by_tokens, std::uint64_t percent) {
  std::uint64_t documents = 0, before = 0;
  for (const auto& [length, count] : documents_by_tokens) documents += count;
  for (const auto& [length, count] : documents_by_tokens) {
    before += count;
    if (before * 100 >= percent * documents) return length;
  }
  return 0;
}

std::uint64_t ids_to_cover(std::vector<std::uint64_t> counts, std::uint64_t percent) {
  std::sort(counts.begin(), counts.end(), std::greater<>());
  const std::uint64_t tokens = sum_of(counts);
  std::uint64_t covered = 0, ids = 0;
  while (covered * 100 < percent * tokens) covered += counts[ids++];
  return ids;
}

double entropy_bits(const std::vector<std::uint64_t>& counts, double order) {
  const auto tokens = static_cast<double>(sum_of(counts));
  double sum = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const double p = static_cast<double>(count) / tokens;
    sum += order == 1 ? -p * std::log2(p) : std::pow(p, order);
  }
  return order == 1 || sum == 0 ? sum : std::log2(sum) / (1 - order);
}

ReportJson make_report(const std::map<std::string, TextCounts>& texts, const std::vector<ReportedTokenizer>& tokenizers, std::size_t longest_count) {
  ReportJson domains = ReportJson::object(), list = ReportJson::array(), comparison = ReportJson::array();
  for (const auto& [domain, text] : texts) domains[domain] = figures_of(text);
  for (const ReportedTokenizer& tokenizer : tokenizers) list.push_back(tokenizer_of(texts, tokenizer, longest_count));
  for (std::size_t i = 1; i < tokenizers.size(); ++i) comparison.push_back(comparison_of(texts, *tokenizers[0].tally, tokenizers[i]));
  return {{"version", 1},
          {"text", {{"domains", std::move(domains)}, {"total", figures_of(total_of(texts))}}},
          {"tokenizers", std::move(list)},
          {"comparison", std::move(comparison)}};
}

}  // namespace flowrun::tokenizers
