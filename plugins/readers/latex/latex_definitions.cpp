#include "latex_converter.hpp"

#include "tex_paper.hpp"

namespace flowrun::readers {
namespace {

/// Puts arguments in the place of #1 to #9; "##" is "#".
std::string substitute(std::string_view body, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t mark = std::min(body.find('#', at), body.size());
    out += body.substr(at, mark - at);
    at = mark + 2;
    if (mark + 1 >= body.size()) break;
    const char next = body[mark + 1];
    if (next == '#') out += '#';
    else if (next >= '1' && next <= '9' && static_cast<std::size_t>(next - '1') < arguments.size()) out += arguments[static_cast<std::size_t>(next - '1')];
  }
  return out;
}

}  // namespace

void LatexConverter::expand(const LatexMacro& macro) {
  if (macro.arguments == 0) return in_.push(macro.body);
  in_.push(shared(substituted(macro)));
}

std::vector<std::string> LatexConverter::read_arguments(const LatexMacro& macro) {
  std::vector<std::string> arguments;
  if (macro.first_default) {
    in_.skip_blanks();
    arguments.push_back(in_.read_optional().value_or(*macro.first_default));
  }
  while (static_cast<int>(arguments.size()) < macro.arguments) arguments.push_back(in_.read_argument(at_is_letter_));
  return arguments;
}

std::string LatexConverter::substituted(const LatexMacro& macro) { return substitute(*macro.body, read_arguments(macro)); }

LatexMacro LatexConverter::read_definition() {
  LatexMacro macro;
  in_.skip_blanks();
  if (const auto count = in_.read_optional()) macro.arguments = std::clamp(std::atoi(count->c_str()), 0, 9);
  in_.skip_blanks();
  if (macro.arguments > 0) macro.first_default = in_.read_optional();
  macro.body = shared(in_.read_argument(at_is_letter_));
  return macro;
}

std::string LatexConverter::read_macro_name() {
  in_.skip_blanks();
  in_.take('*');
  const std::string name = in_.read_argument(at_is_letter_);
  const std::string_view trimmed = trim(name);
  return std::string(trimmed.starts_with('\\') ? trimmed.substr(1) : std::string_view());
}

void LatexConverter::define() {
  const std::string name = read_macro_name();
  LatexMacro macro = read_definition();
  if (!name.empty()) macros_[name] = std::move(macro);
}

void LatexConverter::define_primitive() {
  const std::string name = read_macro_name();
  int arguments = 0;
  bool simple = true;
  for (int c = in_.peek(); c >= 0 && c != '{'; c = in_.peek()) {
    in_.advance(1);
    if (c == '#' && in_.peek() == '1' + arguments) {
      in_.advance(1);
      ++arguments;
    } else {
      simple = false;
    }
  }
  LatexMacro macro{arguments, std::nullopt, shared(in_.read_argument(at_is_letter_))};
  if (!name.empty() && simple) macros_[name] = std::move(macro);
  else macros_.erase(name);
}

void LatexConverter::let() {
  const std::string name = read_macro_name();
  in_.skip_blanks();
  if (in_.take('=')) in_.skip_blanks();
  const std::string value = in_.read_argument(at_is_letter_);
  if (name.empty() || value == "\\" + name) return;
  if (!value.starts_with('\\')) {
    macros_[name] = {0, std::nullopt, shared(value)};
  } else if (const auto macro = macros_.find(value.substr(1)); macro != macros_.end()) {
    macros_[name] = LatexMacro(macro->second);  // a copy: the place of what it is copied from may move
  } else {
    // What LaTeX itself has keeps its meaning under the new name, when the paper gives the old one another.
    macros_.erase(name);
    const auto alias = aliases_.find(value.substr(1));
    aliases_[name] = std::string(alias == aliases_.end() ? value.substr(1) : alias->second);
  }
}

void LatexConverter::define_operator() {
  const std::string name = read_macro_name();
  const std::string text = in_.read_argument(at_is_letter_);
  if (!name.empty()) macros_[name] = {0, std::nullopt, shared("\\operatorname{" + text + "}")};
}

void LatexConverter::define_environment() {
  in_.take('*');
  const std::string name = in_.read_argument(at_is_letter_);
  LatexMacro begins = read_definition();
  SharedText ends = shared(in_.read_argument(at_is_letter_));
  const Environment known = find_environment(name).environment;
  if (known == Environment::kUnknown || known == Environment::kBlock) environments_[name] = {std::move(begins), std::move(ends)};
}

void LatexConverter::define_theorem() {
  in_.take('*');
  const std::string name = in_.read_argument(at_is_letter_);
  in_.read_optional();
  theorems_[name] = flat(convert_argument(in_.read_argument(at_is_letter_)));
  in_.read_optional();
}

void LatexConverter::new_if() {
  const std::string name = read_macro_name();
  if (name.starts_with("if")) flags_[name.substr(2)] = false;
}

std::optional<std::pair<std::string, bool>> LatexConverter::flag_of(const std::string& name) const {
  for (const auto& [suffix, value] : {std::pair(std::string_view("true"), true), std::pair(std::string_view("false"), false)})
    if (name.ends_with(suffix))
      if (std::string flag = name.substr(0, name.size() - suffix.size()); flags_.contains(flag)) return std::pair(std::move(flag), value);
  return std::nullopt;
}

bool LatexConverter::is_condition(std::string_view name) const {
  static constexpr std::array<std::string_view, 29> kKnown = {"if", "ifcat", "ifnum", "ifdim", "ifodd", "ifvmode", "ifhmode", "ifmmode", "ifinner", "ifvoid", "ifhbox", "ifvbox", "ifx", "ifeof", "iftrue", "iffalse", "ifcase",
                                                              "ifdefined", "ifcsname", "iffontchar", "ifpdf", "ifPDFTeX", "ifpdftex", "ifxetex", "ifXeTeX", "ifluatex", "ifLuaTeX", "ifvtex", "ifPDF"};
  if (!name.starts_with("if")) return false;
  return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end() || name.starts_with("if@") || flags_.contains(std::string(name.substr(2)));
}

void LatexConverter::condition(const std::string& name) {
  const auto flag = flags_.find(name.substr(2));
  const bool holds = name == "iftrue" || (flag != flags_.end() && flag->second);
  if (!holds) skip_branch(true);
}

void LatexConverter::skip_branch(bool may_end_at_else) {
  const std::string_view bytes = in_.rest();
  if (failed_bytes_ > kMaxFailedBytes) return;
  int depth = 0;
  for (std::size_t at = 0; (at = bytes.find_first_of("\\%", at)) != std::string_view::npos;) {
    if (bytes[at] == '%') {
      at = std::min(bytes.find('\n', at), bytes.size());
      continue;
    }
    const std::string_view name = name_at(bytes, ++at);
    at += std::max<std::size_t>(name.size(), 1);
    const bool ends = depth == 0 && (name == "fi" || (may_end_at_else && (name == "else" || name == "or")));
    if (ends) {
      in_.advance(std::min(at, bytes.size()));
      return in_.skip_blanks();
    }
    if (name == "fi") --depth;
    else if (name == "newif") at += 1 + name_at(bytes, at + 1).size();
    else if (is_condition(name)) ++depth;
  }
  failed_bytes_ += bytes.size();
}

std::string_view LatexConverter::name_at(std::string_view bytes, std::size_t at) const noexcept {
  std::size_t end = std::min(at, bytes.size());
  while (end < bytes.size() && (letter(static_cast<unsigned char>(bytes[end])) || (at_is_letter_ && bytes[end] == '@'))) ++end;
  return bytes.substr(std::min(at, bytes.size()), end - std::min(at, bytes.size()));
}

void LatexConverter::if_then_else() {
  skip_arguments("mm");
  in_.push(shared(in_.read_argument(at_is_letter_)));
}

void LatexConverter::input(int arguments) {
  std::string folder;
  in_.take('*');
  if (arguments == 2) folder = in_.read_argument(at_is_letter_) + "/";
  in_.skip_blanks();
  std::string name;
  if (in_.peek() == '{') {
    name = in_.read_argument(at_is_letter_);
  } else {
    const std::string_view bytes = in_.rest();
    const std::size_t end = std::min(bytes.find_first_of(" \t\r\n\\{}%"), bytes.size());
    name = bytes.substr(0, end);
    in_.advance(end);
  }
  open_file(folder + std::string(trim(name)));
}

void LatexConverter::open_file(const std::string& written) {
  std::string name = written;
  if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  if (trim(name).empty()) return;
  const std::size_t slash = main_.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : main_.substr(0, slash + 1);
  for (const std::string& candidate : {folder + name + ".tex", folder + name, name + ".tex", name}) {
    const std::string found = normal_name(candidate);
    if (in_.is_open(found)) return;  // TeX would never end
    if (const SharedText text = find_(found)) {
      if (in_.open_files() >= TexInput::kMaxFiles) throw LatexFault{"too_deep", "inputs stand in each other more than " + std::to_string(TexInput::kMaxFiles) + " deep"};
      return in_.push(text, TexInput::Kind::kFile, found);
    }
  }
  constexpr std::size_t kMaxMissing = 100;
  if (document_->missing.size() < kMaxMissing) document_->missing.push_back(name);
}

void LatexConverter::leave() {
  if (argument_depth_ > 0 || !in_.leave_file()) stopped_ = true;
}

}  // namespace flowrun::readers
