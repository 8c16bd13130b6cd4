#include <fstream>
#include <map>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Counts documents by domain; gives the counts as an artifact.
class BlockingCount : public Blocking {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/blocking_count", "1.0.0");
    descriptor.summary("Counts documents by domain.")
        .input(Port("in", "documents"))
        .output(Port("out", "test_counts", Edge::kArtifact))
        .threads("One call at a time.");
    return descriptor;
  }
  explicit BlockingCount(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    staging_ = open.staging();
  }
  void consume(const Call&, std::size_t, const ArrowArray& in) override {
    const DocumentsView documents(in, schema_);
    for (std::int64_t row = 0; row < in.length; ++row) ++counts_[std::string(documents.domain[row])];
  }
  void finish(const Call&) override {
    std::ofstream file(staging_ + "/counts.txt");
    for (const auto& [domain, count] : counts_) file << count << ' ' << domain << '\n';
    file.close();
    if (!file) throw Error(Code::kIo, "'" + staging_ + "/counts.txt' cannot be written");
  }

 private:
  Field schema_;
  std::string staging_;
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::BlockingCount)
