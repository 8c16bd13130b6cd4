#include <fstream>
#include <map>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Numbers the documents of each domain from 1, in the new column `count`. The smallest node with state.
class SerialCounter : public Serial, public Stateful {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/serial_counter", "1.0.0");
    descriptor.summary("Numbers the documents of each domain, in the column 'count'.")
        .input(Port("in", "documents"))
        .output(Port("out", "documents").columns({"count"}))
        .determinism("stateful")
        .threads("One call at a time.");
    return descriptor;
  }
  explicit SerialCounter(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    Field out = schema_;
    out.children.push_back(fields::int64("count"));
    open.set_output(0, out);
  }
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> numbers;
    for (std::int64_t row = 0; row < in.length; ++row) numbers.push_back(++counts_[std::string(documents.domain[row])]);
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
    columns.push_back(make_column(numbers));
    make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

  void snapshot(const Call&, const std::string& folder) override {
    std::ofstream file(folder + "/counts");
    for (const auto& [domain, count] : counts_) file << count << ' ' << domain << '\n';
    file.close();
    if (!file) throw Error(Code::kIo, "'" + folder + "/counts' cannot be written");
  }
  void restore(const Call&, const std::string& folder) override {
    std::ifstream file(folder + "/counts");
    if (!file) throw Error(Code::kNotFound, "'" + folder + "/counts' does not exist");
    counts_.clear();
    std::string domain;
    for (std::int64_t count = 0; file >> count && std::getline(file.ignore(1), domain);) counts_[domain] = count;
  }
  std::int64_t memory_bytes() override { return static_cast<std::int64_t>(counts_.size() * (sizeof(std::string) + sizeof(std::int64_t))); }

 private:
  Field schema_;
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SerialCounter)
