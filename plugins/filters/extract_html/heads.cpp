#include "heads.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace flowrun::filters::html {
namespace {

/// Prose shorter than this does not make a section an article; Readability's own limit is 25 characters for a paragraph.
constexpr std::uint32_t kMinParagraphBytes = 25, kMinArticleBytes = 200;
/// Above these, links are what a section or a line is for.
constexpr double kListLinks = 0.5, kDivisionLinks = 0.66, kLineLinks = 0.8;
/// A longer cluster of links may be a table of contents or a bibliography.
constexpr std::uint32_t kMaxClusterBytes = 1000;

bool is_inside(const Page& page, std::uint32_t section, SectionKind kind) noexcept {
  for (std::uint32_t at = section; at != 0; at = page.sections[at].parent)
    if (page.sections[page.sections[at].parent].kind == kind) return true;
  return false;
}

bool is_content(const Page& page, std::uint32_t section) noexcept { return is_inside(page, section, SectionKind::kArticle) || is_inside(page, section, SectionKind::kMain); }

/// Whether what an element is, or is called, makes it no content.
bool is_marked(const Page& page, std::uint32_t index, bool by_names) noexcept {
  const Section& section = page.sections[index];
  const bool is_named = by_names && section.naming == Naming::kBoilerplate;
  switch (section.kind) {
    case SectionKind::kRoot:
    case SectionKind::kMain:
    case SectionKind::kArticle: return false;
    case SectionKind::kNav:
    case SectionKind::kAside: return true;
    case SectionKind::kFooter: return !is_content(page, index) || section.link_density() > kListLinks;
    case SectionKind::kHeader: return is_named ? !section.has_heading : section.link_density() > kListLinks;
    case SectionKind::kHeading: return false;
    default: return is_named;
  }
}

bool is_link_cluster(const Section& section) noexcept {
  if (section.text_bytes == 0 || section.text_bytes > kMaxClusterBytes || section.kind == SectionKind::kRoot || section.kind == SectionKind::kMain) return false;
  switch (section.kind) {
    case SectionKind::kList: return section.link_density() > kListLinks;
    case SectionKind::kTable: return section.link_density() > kLineLinks;
    case SectionKind::kHeading: return false;
    case SectionKind::kListItem:
    case SectionKind::kParagraph: return section.link_density() > kLineLinks && section.text_bytes < kMinParagraphBytes;
    default: return section.link_density() > kDivisionLinks;
  }
}

/// Says of each section inside `root` whether it or one around it is no content: by its names as well, or by what it is alone.
std::vector<bool> find_boilerplate(const Page& page, std::uint32_t root, bool by_names) {
  std::vector<bool> found(page.sections.size(), false);
  const std::uint32_t half = page.sections[root].own_bytes() / 2;
  for (std::uint32_t i = root + 1; i < page.sections.size() && page.sections[i].parent >= root; ++i) {
    const Section& section = page.sections[i];
    found[i] = found[section.parent] || (section.own_bytes() <= half && (is_marked(page, i, by_names) || is_link_cluster(section)));
  }
  return found;
}

std::vector<bool> take_blocks(const Page& page, std::uint32_t root, const std::vector<bool>& boilerplate) {
  std::vector<bool> taken(page.blocks.size(), false);
  for (std::uint32_t i = page.sections[root].first_block; i < page.sections[root].end_block; ++i) taken[i] = !boilerplate[page.blocks[i].section];
  return taken;
}

double weight_of(const Section& section) noexcept {
  double weight = section.naming == Naming::kContent ? 25 : section.naming == Naming::kBoilerplate ? -25 : 0;
  switch (section.kind) {
    case SectionKind::kMain:
    case SectionKind::kArticle: return weight + 25;
    case SectionKind::kDivision: return weight + 5;
    case SectionKind::kPre:
    case SectionKind::kCell:
    case SectionKind::kQuote: return weight + 3;
    case SectionKind::kList:
    case SectionKind::kListItem:
    case SectionKind::kForm: return weight - 3;
    case SectionKind::kHeading:
    case SectionKind::kNav:
    case SectionKind::kAside:
    case SectionKind::kFooter: return weight - 5;
    default: return weight;
  }
}

/// What a paragraph is for the sections around it.
bool is_paragraph(SectionKind kind) noexcept {
  return kind == SectionKind::kParagraph || kind == SectionKind::kPre || kind == SectionKind::kListItem || kind == SectionKind::kHeading || kind == SectionKind::kTable ||
         kind == SectionKind::kQuote || kind == SectionKind::kFigure;
}

double score_of_block(const Page& page, const Block& block) noexcept {
  const std::string_view text = std::string_view(page.text).substr(block.begin, block.bytes());
  const auto commas = std::count(text.begin(), text.end(), ',');
  return 1 + static_cast<double>(commas) + std::min(block.bytes() / 100.0, 3.0);
}

/// Readability's scores: those of the paragraphs below, all of it for the parent, half for the one around it, then a sixth, an eighth and a tenth.
std::vector<double> score_sections(const Page& page, const std::vector<bool>& boilerplate) {
  constexpr int kAncestors = 5;
  std::vector<double> scores(page.sections.size(), 0);
  for (const Block& block : page.blocks) {
    if (block.bytes() < kMinParagraphBytes || boilerplate[block.section] || block.kind == BlockKind::kHeading) continue;
    const double score = score_of_block(page, block) * (1 - static_cast<double>(block.link_bytes) / block.bytes());
    std::uint32_t at = block.section;
    while (at != 0 && is_paragraph(page.sections[at].kind)) at = page.sections[at].parent;
    for (int level = 0; level < kAncestors; ++level) {
      scores[at] += level == 0 ? score : level == 1 ? score / 2 : score / (level * 3);
      if (at == 0) break;
      at = page.sections[at].parent;
    }
  }
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > 0) scores[i] = (scores[i] + weight_of(page.sections[i])) * (1 - page.sections[i].link_density());
  return scores;
}

/// Returns the section that says where a page's text is by what it is: the only <main> or <article>, or the first that holds most of what the others hold; 0 for none.
std::uint32_t find_marked_article(const Page& page, const std::vector<bool>& boilerplate) noexcept {
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < page.sections.size(); ++i) {
    const SectionKind kind = page.sections[i].kind;
    if (boilerplate[i] || (kind != SectionKind::kArticle && kind != SectionKind::kMain)) continue;
    if (best == 0 || page.sections[i].own_bytes() > page.sections[best].own_bytes()) best = i;
  }
  return best != 0 && page.sections[best].own_bytes() >= kMinArticleBytes && page.sections[best].own_bytes() * 2 > page.sections[0].own_bytes() ? best : 0;
}

/// Returns bytes of prose in each section: what is long enough to score, and no boilerplate, heading or link.
std::vector<std::uint32_t> count_prose(const Page& page, const std::vector<bool>& boilerplate) {
  std::vector<std::uint32_t> prose(page.sections.size(), 0);
  for (const Block& block : page.blocks)
    if (!boilerplate[block.section] && block.kind != BlockKind::kHeading && block.bytes() >= kMinParagraphBytes) prose[block.section] += block.bytes() - block.link_bytes;
  for (std::size_t i = prose.size(); i-- > 1;) prose[page.sections[i].parent] += prose[i];
  return prose;
}

/// Returns the section with the best score, or the nearest around it that has most of the page's prose: texts of manuals and lists of posts are of many equal parts.
std::uint32_t find_scored_article(const Page& page, const std::vector<bool>& boilerplate, const std::vector<double>& scores) {
  constexpr double kMinShare = 0.75;
  auto best = static_cast<std::uint32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  const std::vector<std::uint32_t> prose = count_prose(page, boilerplate);
  while (best != 0 && prose[best] < kMinShare * prose[0]) best = page.sections[best].parent;
  return best;
}

class ArticleHead {
 public:
  explicit ArticleHead(const Page& page) : page_(page), boilerplate_(find_boilerplate(page, 0, false)), scores_(score_sections(page, boilerplate_)) {}

  std::vector<bool> take() {
    std::uint32_t article = find_marked_article(page_, boilerplate_);
    if (article == 0) article = find_scored_article(page_, boilerplate_, scores_);
    std::vector<bool> taken(page_.blocks.size(), false);
    take_section(article, taken);
    for (std::uint32_t i = 1; article != 0 && i < page_.sections.size(); ++i)
      if (i != article && page_.sections[i].parent == page_.sections[article].parent && belongs_to(i, article)) take_section(i, taken);
    leave_bare_headings(taken);
    return taken;
  }

 private:
  /// Whether a section beside the article is a part of it.
  bool belongs_to(std::uint32_t section, std::uint32_t article) const noexcept {
    const Section& beside = page_.sections[section];
    if (boilerplate_[section] || beside.naming == Naming::kBoilerplate) return false;
    if (scores_[section] >= std::max(10.0, scores_[article] * 0.2)) return true;
    if (beside.kind == SectionKind::kHeading) return beside.end_block <= page_.sections[article].first_block;
    return beside.kind == SectionKind::kParagraph && beside.link_density() < 0.25 && beside.text_bytes > 80;
  }

  /// Names count here: what the article holds of comments and the like goes, unless it is most of it.
  void take_section(std::uint32_t section, std::vector<bool>& taken) const {
    const std::vector<bool> inside = take_blocks(page_, section, find_boilerplate(page_, section, true));
    for (std::uint32_t i = page_.sections[section].first_block; i < page_.sections[section].end_block; ++i)
      taken[i] = inside[i] && page_.blocks[i].link_bytes <= kLineLinks * page_.blocks[i].bytes();
  }

  /// Leaves out headings behind which nothing of their part is taken: "Related", "Comments".
  void leave_bare_headings(std::vector<bool>& taken) const {
    bool has_text = false;
    for (std::size_t i = taken.size(); i-- > 0;) {
      if (page_.blocks[i].kind != BlockKind::kHeading) {
        has_text = has_text || taken[i];
      } else if (taken[i]) {
        taken[i] = has_text || is_followed_by_heading(i, taken);
        has_text = false;
      }
    }
  }

  bool is_followed_by_heading(std::size_t block, const std::vector<bool>& taken) const {
    return block + 1 < taken.size() && taken[block + 1] && page_.blocks[block + 1].kind == BlockKind::kHeading;
  }

  const Page& page_;
  const std::vector<bool> boilerplate_;
  const std::vector<double> scores_;
};

std::uint64_t count_bytes(const Page& page, const std::vector<bool>& taken) noexcept {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) bytes += taken[i] ? page.blocks[i].bytes() : 0;
  return bytes;
}

/// Whether blank lines stand around a block.
bool stands_apart(const Block& block) noexcept { return block.kind == BlockKind::kParagraph || block.kind == BlockKind::kHeading || block.kind == BlockKind::kPre; }

void append_block(const Page& page, const Block& block, std::string& out) {
  out.append(2 * static_cast<std::size_t>(block.indent), ' ');
  if (block.marker < 0) out += "- ";
  if (block.marker > 0) out += std::to_string(block.marker) + ". ";
  out.append(page.text, block.begin, block.bytes());
}

}  // namespace

std::vector<bool> select_blocks(const Page& page, Head head) {
  std::vector<bool> article;
  if (head != Head::kFull) article = ArticleHead(page).take();
  if (head == Head::kArticle && count_bytes(page, article) >= kMinArticleBytes) return article;
  std::vector<bool> taken = take_blocks(page, 0, find_boilerplate(page, 0, true));
  for (std::size_t i = 0; head == Head::kUnion && i < taken.size(); ++i) taken[i] = taken[i] || article[i];
  return taken;
}

std::string join_blocks(const Page& page, const std::vector<bool>& taken) {
  std::string out;
  const Block* before = nullptr;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i]) continue;
    const Block& block = page.blocks[i];
    if (before != nullptr) out += stands_apart(*before) || stands_apart(block) ? "\n\n" : "\n";
    append_block(page, block, out);
    before = &block;
  }
  return out;
}

}  // namespace flowrun::filters::html
