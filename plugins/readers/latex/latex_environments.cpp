#include "latex_converter.hpp"

#include "tex_paper.hpp"

namespace flowrun::readers {

OpenEnvironment* LatexConverter::innermost_list() noexcept {
  for (auto open = open_.rbegin(); open != open_.rend(); ++open)
    if (is_list(open->kind)) return &*open;
  return nullptr;
}

OpenEnvironment* LatexConverter::innermost_float() noexcept {
  for (auto open = open_.rbegin(); open != open_.rend(); ++open)
    if (open->kind == Environment::kFloat) return &*open;
  return nullptr;
}

void LatexConverter::begin() {
  const std::string name = in_.read_argument(at_is_letter_);
  if (const auto own = environments_.find(name); own != environments_.end()) return begin_own(name, own->second.first, own->second.second);
  if (const auto theorem = theorems_.find(name); theorem != theorems_.end()) return begin_theorem(name, theorem->second);
  const EnvironmentInfo info = find_environment(name);
  switch (info.environment) {
    case Environment::kDocument: return begin_document();
    case Environment::kMath: return math("\\begin{" + name + "}", name, true, true);
    case Environment::kVerbatim: return verbatim(name);
    case Environment::kSkipped: return skip_environment(name);
    case Environment::kBibliography:
      if (!options_.bibliography) return skip_environment(name);
      skip_arguments("m");
      end_paragraph();
      out_->text("## References");
      out_->paragraph();
      open(name, info.environment);
      return;
    default: break;
  }
  if (info.environment == Environment::kFloat) in_.read_optional();
  skip_arguments(info.arguments);
  if (info.environment != Environment::kUnknown && info.environment != Environment::kTabular) end_paragraph();
  if (info.environment == Environment::kTabular) out_->line();
  OpenEnvironment& opened = open(name, info.environment);
  if (info.environment == Environment::kFloat || info.environment == Environment::kAbstract) redirect(opened);
  if (info.environment == Environment::kProof) out_->text("Proof."), out_->space();
}

OpenEnvironment& LatexConverter::open(std::string name, Environment kind) {
  if (open_.size() >= TexInput::kMaxDepth) throw LatexFault{"too_deep", "environments stand in each other more than " + std::to_string(TexInput::kMaxDepth) + " deep"};
  open_.push_back({});
  open_.back().name = std::move(name);
  open_.back().kind = kind;
  return open_.back();
}

void LatexConverter::redirect(OpenEnvironment& opened) {
  opened.inner = std::make_unique<TextOut>();
  opened.outer = std::exchange(out_, opened.inner.get());
}

void LatexConverter::begin_document() {
  ++documents_;
  if (in_body_) return;
  in_body_ = true;
  if (out_ == &nowhere_) out_ = &body_;
}

void LatexConverter::begin_own(const std::string& name, const LatexMacro& begins, const SharedText& ends) {
  SharedText body = begins.arguments == 0 ? begins.body : shared(substituted(begins));
  open(name, Environment::kUnknown).end_body = ends;
  in_.push(std::move(body));
}

void LatexConverter::begin_theorem(const std::string& name, const std::string& title) {
  const auto note = in_.read_optional();
  end_paragraph();
  out_->text(title + (note ? " (" + flat(convert_argument(*note)) + ")." : "."));
  out_->space();
  open(name, Environment::kBlock);
}

void LatexConverter::end() {
  if (in_.peek() != '{') return end_plain();
  const std::string name = in_.read_argument(at_is_letter_);
  if (name == "document") return end_document();
  std::size_t at = open_.size();
  while (at > open_floor_ && open_[at - 1].name != name) --at;
  if (at > open_floor_) close_environments(at - 1);
}

void LatexConverter::end_document() {
  if (in_body_ && (--documents_ <= 0 || in_.open_files() > 1)) leave();
}

void LatexConverter::end_plain() {
  if (in_body_ && documents_ == 0) leave();
}

void LatexConverter::close_environments(std::size_t size) {
  while (open_.size() > size) {
    OpenEnvironment closed = std::move(open_.back());
    open_.pop_back();
    close(closed);
  }
}

void LatexConverter::close(OpenEnvironment& closed) {
  if (closed.outer) out_ = closed.outer;
  switch (closed.kind) {
    case Environment::kUnknown: break;
    case Environment::kTabular: out_->line(); break;
    case Environment::kFloat:
      if (at_end_) out_->paragraph(), out_->text(closed.inner->take());  // nothing has closed it: what follows it is no part of it
      for (const std::string& text : closed.captions) {
        out_->paragraph();
        out_->text(text);
      }
      end_paragraph();
      break;
    case Environment::kAbstract: {
      const std::string text = closed.inner->take();
      if (abstract_.empty()) abstract_ = text;
      if (out_ == &nowhere_) preamble_abstract_ = text;
      out_->paragraph();
      out_->text(text);
      end_paragraph();
      break;
    }
    default: end_paragraph();
  }
  if (closed.end_body) in_.push(closed.end_body);
}

void LatexConverter::skip_environment(const std::string& name) {
  const std::string ending = "\\end{" + name + "}";
  const std::string_view bytes = in_.rest();
  in_.advance(std::min(find_end(bytes, ending) + ending.size(), bytes.size()));
}

void LatexConverter::verbatim(const std::string& name) {
  in_.read_optional();
  if (name == "minted") in_.read_argument(at_is_letter_);
  const std::string ending = "\\end{" + name + "}";
  const std::string_view bytes = in_.rest();
  const std::size_t end = find_end(bytes, ending);
  std::string_view text = bytes.substr(0, end);
  while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  out_->paragraph();
  out_->text(text);
  out_->paragraph();
  in_.advance(std::min(end + ending.size(), bytes.size()));
}

void LatexConverter::take_title() {
  in_.read_optional();
  std::string text = convert_argument(in_.read_argument(at_is_letter_));
  if (title_.empty()) title_ = std::move(text);
}

void LatexConverter::take_authors() {
  in_.read_optional();
  const bool outer = std::exchange(in_authors_, true);
  const std::string text = convert_argument(in_.read_argument(at_is_letter_));
  in_authors_ = outer;
  constexpr std::size_t kMaxAuthors = 10000;
  for (std::size_t at = 0; at < text.size() && authors_.size() < kMaxAuthors;) {
    const std::size_t end = std::min(text.find(kNextAuthor, at), text.size());
    std::string name = text.substr(at, end - at);
    at = end + kNextAuthor.size();
    const std::string_view first = trim(std::string_view(name).substr(0, name.find(kNextLine)));
    if (!first.empty()) authors_.push_back(flat(std::string(first)));
  }
}

void LatexConverter::take_abstract() {
  in_.skip_blanks();
  if (in_.peek() != '{') return;
  const std::string text = convert_argument(in_.read_argument(at_is_letter_));
  if (abstract_.empty()) abstract_ = text;
  if (out_ == &nowhere_) preamble_abstract_ = text;
  out_->paragraph();
  out_->text(text);
  end_paragraph();
}

void LatexConverter::caption(const std::string& name) {
  in_.take('*');
  if (name == "captionof") in_.read_argument(at_is_letter_);
  in_.read_optional();
  std::string text = flat(convert_argument(in_.read_argument(at_is_letter_)));
  if (!options_.captions || text.empty()) return;
  if (OpenEnvironment* figure = innermost_float()) {
    figure->captions.push_back(std::move(text));
    return;
  }
  out_->paragraph();
  out_->text(text);
  out_->paragraph();
}

void LatexConverter::footnote() {
  in_.read_optional();
  std::string text = convert_argument(in_.read_argument(at_is_letter_));
  if (!text.empty() && out_ != &nowhere_) notes_.push_back(std::move(text));
}

void LatexConverter::bibliography() {
  in_.read_argument(at_is_letter_);
  if (!options_.bibliography) return;
  const std::string name = main_.substr(0, main_.rfind('.')) + ".bbl";
  if (const SharedText text = find_(normal_name(name))) in_.push(text, TexInput::Kind::kFile, name);
}

void LatexConverter::bibitem() {
  skip_arguments("om");
  in_.skip_blanks();
  out_->line();
  out_->text("- ");
}

}  // namespace flowrun::readers
