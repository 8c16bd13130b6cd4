#include <chrono>
#include <fstream>
#include <thread>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Takes its time over each batch and gives up as soon as the run is stopping: a writer that stalls, and how a long call must stop.
class SlowWriter : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/slow_writer", "1.0.0");
    descriptor.summary("Waits at each batch until its time is over or the run stops, and writes how many documents came.")
        .input(Port("in", "documents"))
        .parameter(number("seconds_per_batch").defaults(3600.0).range(0, 1e6).unit("seconds").about("Time that each batch takes."))
        .parameter(output_path("path").defaults("count.txt").about("File that is written, relative to the run's folder."))
        .threads("One call at a time.");
    return descriptor;
  }
  explicit SlowWriter(const Params& params) : wait_(params.number("seconds_per_batch")), path_(params.string("path")) {}
  void open(Open& open) override { path_ = open.staging() + "/" + path_; }
  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < wait_) {
      call.check_stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    documents_ += in.length;
  }
  void finish(const Call&, std::span<ArrowArray>) override {
    std::ofstream file(path_);
    file << documents_ << '\n';
    file.close();
    if (!file) throw Error(Code::kIo, "'" + path_ + "' cannot be written");
  }

 private:
  std::chrono::duration<double> wait_;
  std::string path_;
  std::int64_t documents_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SlowWriter)
