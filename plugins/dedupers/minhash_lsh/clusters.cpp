#include "clusters.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::dedupers {
namespace {

/// Gives the sorted pairs (node, neighbour) of one sorter, each once.
class Distinct {
 public:
  explicit Distinct(RecordSorter::Cursor cursor) : cursor_(std::move(cursor)) {}
  bool next() {
    while (cursor_.next())
      if (!last_ || *last_ != cursor_.record) {
        last_ = cursor_.record;
        return true;
      }
    return false;
  }
  std::uint64_t node() const noexcept { return last_->first; }
  std::uint64_t neighbour() const noexcept { return last_->second; }

 private:
  RecordSorter::Cursor cursor_;
  std::optional<Record> last_;
};

/// Connects every larger neighbour of a node with the smallest of the node and its neighbours. `both` holds both directions of each pair, `down` gets (larger, smaller).
/// Returns whether `both` was stars already, each around its smallest node.
bool large_star(RecordSorter& both, RecordSorter& down) {
  bool stars = true;
  std::optional<std::uint64_t> node;
  std::uint64_t smallest = 0, smaller_neighbours = 0;
  for (Distinct edges(both.read()); edges.next();) {
    if (node != edges.node()) {
      node = edges.node();
      smallest = std::min(*node, edges.neighbour());  // the neighbours are in order
      smaller_neighbours = 0;
    }
    if (edges.neighbour() > *node) down.add({edges.neighbour(), smallest});
    else ++smaller_neighbours;
    stars = stars && (edges.neighbour() > *node ? smaller_neighbours == 0 : smaller_neighbours == 1);
  }
  return stars;
}

/// Connects a node and its smaller neighbours with the smallest of these.
void small_star(RecordSorter& down, RecordSorter& both) {
  const auto connect = [&](std::uint64_t a, std::uint64_t b) {
    both.add({a, b});
    both.add({b, a});
  };
  std::optional<std::uint64_t> node;
  std::uint64_t smallest = 0;
  for (Distinct edges(down.read()); edges.next();) {
    if (node != edges.node()) {
      node = edges.node();
      smallest = edges.neighbour();
      connect(*node, smallest);
    } else {
      connect(edges.neighbour(), smallest);
    }
  }
}

}  // namespace

Clusters::Clusters(std::size_t memory_bytes, std::string folder) : memory_bytes_(memory_bytes), folder_(std::move(folder)), edges_(new_edges()) {}

void Clusters::add(std::uint64_t a, std::uint64_t b) {
  edges_.add({a, b});
  edges_.add({b, a});
}

void Clusters::finish(const std::function<void()>& between) {
  for (;;) {
    between();
    RecordSorter down = new_edges();
    if (large_star(edges_, down)) return;
    between();
    edges_ = new_edges();
    small_star(down, edges_);
  }
}

Clusters::Cursor Clusters::read() { return Cursor(edges_.read()); }

bool Clusters::Cursor::next() {
  while (edges_.next()) {
    const Record edge = edges_.record;
    if (edge.second > edge.first || last_ == edge) continue;
    last_ = edge;
    document = edge.first;
    first = edge.second;
    return true;
  }
  return false;
}

}  // namespace flowrun::dedupers
