#include "post.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

bool read_number(std::string_view text, std::int64_t& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() && end == text.data() + text.size();
}

/// "<c++><sorting>" of older dumps and "|c++|sorting|" of newer ones become "c++ sorting".
void append_tags(std::string_view stored, std::string& out) {
  while (!stored.empty()) {
    const std::size_t end = std::min(stored.find_first_of("<>|"), stored.size());
    if (end > 0) {
      if (!out.empty()) out += ' ';
      out += stored.substr(0, end);
    }
    stored.remove_prefix(std::min(end + 1, stored.size()));
  }
}

class RowHandler : public XmlHandler {
 public:
  explicit RowHandler(Post& post) : post_(&post) {}

  void start(std::string_view name, const char* const* attributes) override {
    if (name != "row" || is_row) {
      fault = "an element <" + std::string(name.substr(0, 40)) + ">, expected one <row>";
      return;
    }
    is_row = true;
    for (; attributes[0] != nullptr; attributes += 2) take(attributes[0], attributes[1]);
  }

  std::string fault;
  bool is_row = false, has_id = false, has_type = false, has_body = false, has_parent = false;

 private:
  void take(std::string_view name, std::string_view value) {
    if (name == "Id") has_id = number(name, value, post_->id);
    else if (name == "PostTypeId") has_type = number(name, value, post_->type);
    else if (name == "ParentId") has_parent = number(name, value, post_->parent_id);
    else if (name == "AcceptedAnswerId") number(name, value, post_->accepted_answer_id);
    else if (name == "Score") number(name, value, post_->score);
    else if (name == "Title") post_->title = value;
    else if (name == "Tags") append_tags(value, post_->tags);
    else if (name == "Body") has_body = true, post_->body = value;
  }
  bool number(std::string_view name, std::string_view value, std::int64_t& out) {
    if (read_number(value, out)) return true;
    fault = "attribute '" + std::string(name) + "' is '" + std::string(value.substr(0, 40)) + "', expected an integer";
    return false;
  }

  Post* post_;
};

/// Returns what a row lacks, or "".
std::string missing(const RowHandler& row, const Post& post) {
  if (!row.fault.empty()) return row.fault;
  if (!row.has_id) return "the row has no attribute 'Id'";
  if (!row.has_type) return "the row has no attribute 'PostTypeId'";
  if (post.type != Post::kQuestion && post.type != Post::kAnswer) return {};
  if (!row.has_body) return "the row has no attribute 'Body'";
  if (post.type == Post::kAnswer && !row.has_parent) return "the answer has no attribute 'ParentId'";
  return {};
}

}  // namespace

std::optional<PostFault> PostParser::parse(std::string_view row, Post& post) {
  post = {};
  if (const std::size_t bad = find_invalid_utf8(row); bad != std::string_view::npos) return PostFault{"bad_utf8", describe_invalid_utf8(row, bad, "the record")};
  RowHandler handler(post);
  if (std::string fault = xml_.parse(row, handler); !fault.empty()) return PostFault{"bad_xml", std::move(fault)};
  if (std::string fault = missing(handler, post); !fault.empty()) return PostFault{"bad_post", std::move(fault)};
  return {};
}

}  // namespace flowrun::readers
