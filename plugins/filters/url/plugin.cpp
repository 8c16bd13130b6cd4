// filters/url: drops documents by their address: lists of domains and addresses, and words in them.

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filters/common/list_file.hpp"
#include "filters/common/text_filter.hpp"
#include "url_rules.hpp"

namespace flowrun::filters {
namespace {

using Files = std::vector<InputFile>;

/// Words without letters and digits are left out.
std::vector<std::string> read_words(const Files& files) {
  std::vector<std::string> words;
  for_each_entry(files, [&](std::string_view line) {
    if (std::string word = normalize_url(line); !word.empty()) words.push_back(std::move(word));
  });
  return words;
}

EntrySet read_entries(const Files& files) {
  EntrySet entries;
  for_each_entry(files, [&](std::string_view line) { entries.insert(line); });
  return entries;
}

PublicSuffixes read_suffixes(const Files& files) {
  if (files.empty()) return PublicSuffixes({});
  std::ifstream in(files[0].path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, "'" + files[0].display + "' cannot be read");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  PublicSuffixes suffixes(text);
  if (suffixes.size() == 0) throw Error(Code::kInvalidArgument, "'" + files[0].display + "' has no public suffix: expected public_suffix_list.dat of publicsuffix.org");
  return suffixes;
}

class UrlNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/url", "0.1.0")
        .summary("Drops documents by their URL: domains and URLs on lists, and words in the URL, with datatrove's rules and reasons. A list is a file with an entry a line; empty lines and those "
                 "that begin with '#' do not count.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(string("url_column").names_columns().defaults("url").about("The column of text with each document's URL. A document without one is an error."))
        .parameter(paths("domains").about("Domains: one that is a public suffix and one label before it (domain), or the whole host (subdomain). Compared letter by letter. Needs `suffix_list`."))
        .parameter(path("suffix_list").about("public_suffix_list.dat of publicsuffix.org, or Debian's /usr/share/publicsuffix/public_suffix_list.dat. Its suffixes of private owners are not used."))
        .parameter(paths("urls").about("Whole URLs, compared letter by letter: url."))
        .parameter(paths("banned_words").about("Words; one that is a run of letters and digits of the URL is enough: hard_blacklisted. Words of lists are brought to lower case, those of the URL are not."))
        .parameter(paths("soft_banned_words").about("Words of which `soft_word_threshold` different ones must be there: soft_blacklisted."))
        .parameter(integer("soft_word_threshold").unit("words").min_value(1).defaults(2).about("For `soft_banned_words`."))
        .parameter(paths("banned_subwords").about("Parts of words, looked for in the URL's letters and digits alone, joined and in lower case: blacklisted_subword."))
        .determinism("pure")
        .source("Penedo et al. 2023, arXiv:2306.01116, appendix G.1; datatrove 0.10.1, URLFilter; tldextract 5.4.0")
        .example("[node.allowed]\nplugin = \"filters/url\"\nin     = \"web\"\ndomains     = [\"../data/lists/domains\"]\nsuffix_list = \"/usr/share/publicsuffix/public_suffix_list.dat\"\n"
                 "banned_words = [\"../data/lists/banned_words.txt\"]\n");
  }

  explicit UrlNode(const Params& params)
      : TextFilter("url", params),
        url_column_(params.string("url_column")),
        domains_(params.files("domains")),
        suffix_list_(params.files("suffix_list")),
        urls_(params.files("urls")),
        banned_words_(params.files("banned_words")),
        soft_banned_words_(params.files("soft_banned_words")),
        banned_subwords_(params.files("banned_subwords")),
        soft_word_threshold_(params.integer("soft_word_threshold")) {
    if (domains_.empty() && urls_.empty() && banned_words_.empty() && soft_banned_words_.empty() && banned_subwords_.empty())
      throw Error(Code::kInvalidArgument, "there is no list: expected 'domains', 'urls', 'banned_words', 'soft_banned_words' or 'banned_subwords'");
    if (!domains_.empty() && suffix_list_.empty()) throw Error(Code::kInvalidArgument, "'domains' needs 'suffix_list', which says what the domain of a host is");
  }

  void open(Open& open) override {
    TextFilter::open(open);
    if (schema().find(url_column_) < 0) throw Error(Code::kInvalidArgument, "the input has no column '" + url_column_ + "', which 'url_column' names");
    UrlLists lists{read_entries(domains_), read_entries(urls_), read_words(banned_words_), read_words(soft_banned_words_), read_words(banned_subwords_)};
    rules_ = std::make_unique<const UrlRules>(std::move(lists), read_suffixes(suffix_list_), soft_word_threshold_);
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const std::string_view url = documents.strings(url_column_)[row];
    if (url.empty()) throw Error(Code::kCorruptData, "the document has no URL in column '" + url_column_ + "'");
    return rules_->check(url);
  }

 private:
  std::string url_column_;
  Files domains_, suffix_list_, urls_, banned_words_, soft_banned_words_, banned_subwords_;
  std::int64_t soft_word_threshold_;
  std::unique_ptr<const UrlRules> rules_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::UrlNode)
