// writers/parquet: documents or tokens as a Parquet file.

#include <flowrun/node.hpp>

#include <optional>
#include <string>

#include "parquet_output.hpp"
#include "writers/common/staged_name.hpp"

namespace flowrun::writers {
namespace {

class Parquet : public Serial {
 public:
  static Descriptor descriptor() {
    return Descriptor("writers/parquet", "0.1.0")
        .summary("Writes documents or tokens as a Parquet file: a row each, every column that they have, compressed with Zstandard, pages with checksums.")
        .input(Port("in", "documents").optional())
        .input(Port("tokens", "tokens").optional())
        .parameter(output_path("path").required().about("The file to write, relative to the run's folder."))
        .parameter(integer("row_group_bytes").unit("bytes").range(1 << 12, 1LL << 40).defaults(64 << 20).about(
            "A row group ends with the row that takes its values to this size before compression; its compressed pages are kept in memory."))
        .parameter(integer("compression_level").range(1, 22).defaults(3).about("The level of Zstandard."))
        .determinism("pure")
        .threads("One call at a time; rows in the order of the input. The bytes do not depend on batches.")
        .source("https://parquet.apache.org/docs/file-format; written by Arrow C++ 26")
        .example("[node.clean]\nplugin = \"writers/parquet\"\nin     = \"unique\"\npath   = \"clean/documents.parquet\"\n\n"
                 "[node.kept_tokens]\nplugin = \"writers/parquet\"\nin     = { tokens = \"train_tokens\" }\npath   = \"tokens.parquet\"\n");
  }

  explicit Parquet(const Params& params)
      : name_(staged_name(params.string("path"))), layout_{params.integer("row_group_bytes"), static_cast<int>(params.integer("compression_level"))} {}

  void open(Open& open) override {
    if (open.has_input(0) == open.has_input(1))
      throw Error(Code::kInvalidArgument, std::string(open.has_input(0) ? "documents and tokens are" : "nothing is") + " connected, expected in = \"documents\" or in = { tokens = \"tokens\" }");
    file_.emplace(open.staging() + "/" + name_, open.input(open.has_input(0) ? 0 : 1), layout_);
  }

  void process(const Call&, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override { file_->append(in); }
  void finish(const Call&, std::span<ArrowArray>) override { file_->finish(); }
  void close() noexcept override { file_.reset(); }

 private:
  const std::string name_;
  const ParquetLayout layout_;
  std::optional<ParquetOutput> file_;  ///< made by `open`, which knows the columns
};

}  // namespace
}  // namespace flowrun::writers

FLOWRUN_PLUGIN(flowrun::writers::Parquet)
