#pragma once

// One <row> of a Stack Exchange dump's Posts.xml (https://archive.org/details/stackexchange, readme.txt).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/xml_parser.hpp"

namespace flowrun::readers {

/// A post as it stands in the dump. `body` is HTML.
struct Post {
  enum Type : std::int64_t { kQuestion = 1, kAnswer = 2 };  // others are wiki pages of tags, nominations and the like

  std::int64_t id = 0, type = 0, score = 0;
  std::int64_t parent_id = 0;           ///< answers: their question
  std::int64_t accepted_answer_id = 0;  ///< questions; 0: none
  std::string title, tags, body;        ///< tags with single spaces between them
};

/// Why a row is refused.
struct PostFault {
  const char* code = "";  ///< "bad_xml", "bad_utf8", "bad_post"
  std::string message;
};

/// Reads rows, one at a time.
class PostParser {
 public:
  std::optional<PostFault> parse(std::string_view row, Post& post);

 private:
  XmlParser xml_;
};

}  // namespace flowrun::readers
