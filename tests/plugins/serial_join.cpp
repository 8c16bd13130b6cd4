#include <flowrun/node.hpp>

namespace flowrun::test {

/// Passes on two inputs, the whole of `first` before the whole of `second`.
class SerialJoin : public Serial {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/serial_join", "1.0.0");
    descriptor.summary("Joins two inputs, one after the other.")
        .input(Port("first", "documents"))
        .input(Port("second", "documents"))
        .output(Port("out", "documents"))
        .threads("One call at a time.");
    return descriptor;
  }
  explicit SerialJoin(const Params&) {}
  void open(Open& open) override {
    if (open.input(0) != open.input(1)) throw Error(Code::kInvalidArgument, "'first' and 'second' have different columns");
    open.set_output(0, open.input(0));
  }
  void process(const Call& call, std::size_t port, const ArrowArray& in, std::span<ArrowArray> out) override {
    if (port < port_) throw Error(Code::kInternal, "a batch of 'first' came after one of 'second'");
    port_ = port;
    call.retain(in).move_to(&out[0]);
  }

 private:
  std::size_t port_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SerialJoin)
