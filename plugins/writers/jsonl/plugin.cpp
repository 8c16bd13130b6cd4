// writers/jsonl: documents as JSON Lines, one object a line.

#include <flowrun/node.hpp>

#include <optional>
#include <string>

#include "jsonl.hpp"
#include "writers/common/output_file.hpp"
#include "writers/common/staged_name.hpp"

namespace flowrun::writers {
namespace {

class Jsonl : public Serial {
 public:
  static Descriptor descriptor() {
    return Descriptor("writers/jsonl", "0.1.0")
        .summary("Writes documents as JSON Lines: id, text, domain and source, then the columns that nodes have added, by name.")
        .input({"in", "documents"})
        .parameter(output_path("path").required().about("The file to write, relative to the run's folder; a name that ends in .gz or .zst is compressed."))
        .determinism("pure")
        .threads("One call at a time; documents in the order of 'in'. The bytes do not depend on batches.")
        .source("https://jsonlines.org; RFC 8259; RFC 1952 (.gz); RFC 8878 (.zst)")
        .example("[node.clean]\nplugin = \"writers/jsonl\"\nin     = \"unique\"\npath   = \"clean/documents.jsonl.zst\"\n");
  }

  explicit Jsonl(const Params& params) : name_(staged_name(params.string("path"))) {}

  void open(Open& open) override {
    format_.emplace(open.input());
    file_.emplace(open.staging() + "/" + name_);
  }

  void process(const Call&, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override {
    for (std::int64_t row = 0; row < in.length; ++row) {
      line_.clear();
      format_->append(in, row, line_);
      file_->write(line_);
    }
  }

  void finish(const Call&, std::span<ArrowArray>) override { file_->finish(); }

  void close() noexcept override { file_.reset(); }

 private:
  const std::string name_;
  std::optional<JsonlFormat> format_;  ///< made by `open`, which knows the columns
  std::optional<OutputFile> file_;
  std::string line_;
};

}  // namespace
}  // namespace flowrun::writers

FLOWRUN_PLUGIN(flowrun::writers::Jsonl)
