#include <fstream>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Writes how many documents each batch has, one batch a line.
class BatchSizes : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/batch_sizes", "1.0.0");
    descriptor.summary("Writes how many documents each batch has.")
        .input(Port("in", "documents"))
        .parameter(output_path("path").defaults("batches.txt").about("File that is written, relative to the run's folder."))
        .threads("One call at a time.");
    return descriptor;
  }
  explicit BatchSizes(const Params& params) : path_(params.string("path")) {}
  void open(Open& open) override {
    path_ = open.staging() + "/" + path_;
    file_.open(path_, std::ios::binary);
  }
  void process(const Call&, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override { file_ << in.length << '\n'; }
  void finish(const Call&, std::span<ArrowArray>) override {
    file_.close();
    if (!file_) throw Error(Code::kIo, "'" + path_ + "' cannot be written");
  }

 private:
  std::string path_;
  std::ofstream file_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::BatchSizes)
