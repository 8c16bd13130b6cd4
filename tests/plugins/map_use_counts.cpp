#include <fstream>
#include <map>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Adds to each document how many its domain has, from the artifact of test/blocking_count.
class MapUseCounts : public Map {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/map_use_counts", "1.0.0");
    descriptor.summary("Adds the column 'domain_documents' from an artifact.")
        .input(Port("in", "documents"))
        .input(Port("counts", "test_counts", Edge::kArtifact))
        .output(Port("out", "documents").columns({"domain_documents"}));
    return descriptor;
  }
  explicit MapUseCounts(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    Field out = schema_;
    out.children.push_back(fields::int64("domain_documents"));
    open.set_output(0, out);
    std::ifstream file(open.artifact("counts") + "/counts.txt");
    if (!file) throw Error(Code::kNotFound, "'" + open.artifact("counts") + "/counts.txt' does not exist");
    std::string domain;
    for (std::int64_t count = 0; file >> count && std::getline(file.ignore(1), domain);) counts_[domain] = count;
  }
  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> counts;
    for (std::int64_t row = 0; row < in.length; ++row) {
      const auto found = counts_.find(std::string(documents.domain[row]));
      counts.push_back(found == counts_.end() ? 0 : found->second);
    }
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
    columns.push_back(make_column(counts));
    make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

 private:
  Field schema_;
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::MapUseCounts)
