#include <fstream>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Writes what reaches it, one JSON object a line: every string and int64 column in the order of the schema.
class Collect : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/collect", "1.0.0");
    descriptor.summary("Writes every document that reaches it.")
        .input(Port("in", "documents"))
        .parameter(output_path("path").defaults("collected.jsonl").about("File that is written, relative to the run's folder."))
        .threads("One call at a time.");
    return descriptor;
  }
  explicit Collect(const Params& params) : path_(params.string("path")) {}
  void open(Open& open) override {
    schema_ = open.input();
    path_ = open.staging() + "/" + path_;
    file_.open(path_, std::ios::binary);
    if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be written");
  }
  void process(const Call&, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override {
    const BatchView batch(in, schema_);
    for (std::int64_t row = 0; row < in.length; ++row) {
      const char* separator = "{";
      for (const Field& field : schema_.children) {
        if (field.format != "u" && field.format != "l") continue;
        file_ << separator << json::quote(field.name) << ':';
        if (field.format == "u") file_ << json::quote(batch.strings(field.name)[row]);
        else file_ << batch.values<std::int64_t>(field.name, "l")[row];
        separator = ",";
      }
      file_ << "}\n";
    }
  }
  void finish(const Call&, std::span<ArrowArray>) override {
    file_.close();
    if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be written");
  }

 private:
  Field schema_;
  std::string path_;
  std::ofstream file_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::Collect)
