// readers/text: text files, whole or in pieces.

#include <memory>

#include "readers/common/file_source.hpp"
#include "readers/common/text_reader.hpp"

namespace flowrun::readers {
namespace {

class Text : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe_split(describe(Descriptor("readers/text", "0.1.0")))
        .summary("Reads text files, each a document or cut into several; plain or compressed. An empty file gives no document.")
        .determinism("pure")
        .source("The Unicode Standard 15, section 3.9 (UTF-8)")
        .example("[node.books]\nplugin = \"readers/text\"\npaths  = [\"../data/books/*.txt\"]\ndomain = \"books\"\nsplit  = \"bytes\"\n");
  }

  explicit Text(const Params& params) : FileSource(params), split_(read_split(params)) {}

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart&) const override { return std::make_unique<TextReader>(window, split_); }

 private:
  TextSplit split_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Text)
