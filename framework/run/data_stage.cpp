#include "run/data_stage.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "graph/column_union.hpp"
#include "graph/dataset_source.hpp"
#include "graph/flow.hpp"
#include "graph/row_json.hpp"
#include "graph/selection.hpp"
#include "graph/spool.hpp"
#include "run/node_factory.hpp"
#include "run/node_warnings.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;
using graph::Connection;
using plugin::EdgeKind;

/// Sinks of the runtime's own that only count what reaches them.
class EndBody final : public graph::OrderedBody {
 public:
  flowrun_status process(const flowrun_call*, std::uint32_t, const graph::Message&, std::span<ArrowArray>) override { return FLOWRUN_OK; }
  flowrun_status finish(const flowrun_call*, std::span<ArrowArray>) override { return FLOWRUN_OK; }
};

/// Takes the first rows that reach it, and then stops the stage.
class TapBody final : public graph::OrderedBody {
 public:
  TapBody(Field schema, std::int64_t count, graph::StageControl& control, std::vector<nlohmann::ordered_json>& rows)
      : schema_(std::move(schema)), count_(static_cast<std::size_t>(count)), control_(control), rows_(rows) {}
  flowrun_status process(const flowrun_call*, std::uint32_t, const graph::Message& in, std::span<ArrowArray>) override {
    for (std::int64_t row = 0; row < in.rows() && rows_.size() < count_; ++row) rows_.push_back(graph::row_to_json(schema_, in.array(), row));
    if (rows_.size() == count_) control_.fail({Code::kCancelled, "", "", "these are enough", ""});
    return FLOWRUN_OK;
  }
  flowrun_status finish(const flowrun_call*, std::span<ArrowArray>) override { return FLOWRUN_OK; }

 private:
  const Field schema_;
  const std::size_t count_;
  graph::StageControl& control_;
  std::vector<nlohmann::ordered_json>& rows_;
};

/// Returns the credits of a stage: what keeps every thread busy while some batches take long. Beyond that, batches would only stand in memory before the
/// slowest node, as many as `memory_bytes` allows.
std::int64_t stage_credits(const RunContext& context) {
  constexpr std::int64_t kBatchesAThread = 32, kLeast = std::int64_t{32} << 20;  // long documents find room beside one another
  const config::RunSpec& run = context.graph.run;
  const std::int64_t batch_bytes = std::min(run.batch_bytes, run.memory_bytes / (kBatchesAThread * context.threads));  // cannot overflow
  return std::min(run.memory_bytes, std::max(kLeast, kBatchesAThread * context.threads * batch_bytes));
}

/// Builds and runs the flow of one stage.
class StageRunner {
 public:
  StageRunner(const RunContext& context, std::size_t index)
      : context_(context),
        stage_(context.plan.stages[index]),
        index_(index),
        control_(context.stop),
        credits_(stage_credits(context)),
        records_folder_(fmt::format("{}/.records-{}", context.folder, index)) {}

  DataStageResult run() {
    const auto start = std::chrono::steady_clock::now();
    DataStageResult result;
    take_locks();
    mark_needed();
    repeat_warnings();
    if (missing_.empty()) {
      result.cached = true;
      return result;
    }
    fs::remove_all(records_folder_);
    fs::create_directories(records_folder_);
    {
      graph::Flow flow(control_, credits_, context_.threads);
      build(flow);
      if (!flow_nodes_.empty()) {
        context_.reporter.set_sampler([this] { return sample(); });
        flow.run();
      }
    }
    throw_if_stopped();
    prepare_indexed();
    throw_if_stopped();
    result.read = tally_read();
    commit();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

  std::vector<nlohmann::ordered_json> tap(const Connection& edge, std::int64_t count) {
    std::vector<nlohmann::ordered_json> rows;
    fs::create_directories(records_folder_);
    upstream_of(edge.node, needed_);
    graph::Flow flow(control_, credits_, context_.threads);
    build(flow);
    const Field& schema = schemas_.at(edge.node).at(edge.output);
    graph::NodeRecords records("");
    const auto id = flow.add_ordered({node(edge.node).name + " (tap)", "", false, &records, {}, 0}, std::make_unique<TapBody>(schema, count, control_, rows), {schema}, {});
    flow.connect(flow_nodes_.at(edge.node), static_cast<std::uint32_t>(edge.output), id, 0);
    flow.run();
    if (rows.size() < static_cast<std::size_t>(count)) throw_if_stopped();
    return rows;
  }

  ~StageRunner() {
    context_.reporter.set_sampler({});  // also where the flow threw
    std::error_code error;
    fs::remove_all(records_folder_, error);
  }

 private:
  const graph::ResolvedNode& node(std::size_t i) const { return context_.graph.nodes[i]; }
  const PlannedArtifact& artifact(std::size_t a) const { return context_.plan.artifacts[a]; }

  /// Locks what is missing, in the order of keys so that two runs never wait for each other, and looks again.
  void take_locks() {
    std::vector<std::size_t> wanted;
    for (const std::size_t a : stage_.artifacts)
      if (!context_.store.has(artifact(a).key)) wanted.push_back(a);
    std::sort(wanted.begin(), wanted.end(), [&](std::size_t a, std::size_t b) { return artifact(a).key < artifact(b).key; });
    std::set<std::string> keys;
    for (const std::size_t a : wanted) {
      if (!keys.insert(artifact(a).key).second) continue;  // two equal nodes make one artifact
      locks_.push_back(context_.store.lock(artifact(a).key, control_));
      if (!context_.store.has(artifact(a).key)) missing_.insert(a);
    }
  }

  /// Marks the nodes upstream of a missing artifact within the stage.
  void mark_needed() {
    for (const std::size_t a : missing_) upstream_of(artifact(a).node, needed_);
  }

  void upstream_of(std::size_t root, std::set<std::size_t>& found) const {
    std::vector<std::size_t> stack{root};
    while (!stack.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      if (!found.insert(i).second) continue;
      for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
        for (const auto& from : node(i).inputs[p])
          if (same_stage_stream(context_.graph, context_.plan, from, i, p)) stack.push_back(from.node);
    }
  }

  /// Says again what nodes have warned of when the artifacts were made that are taken from the cache.
  void repeat_warnings() {
    std::set<std::size_t> said = needed_;  // these say it themselves
    for (const std::size_t a : stage_.artifacts) {
      if (missing_.contains(a)) continue;
      const auto manifest = context_.store.manifest(artifact(a).key);
      for (const std::size_t i : stage_.nodes) {
        const auto texts = NodeWarnings::kept_in(manifest, context_.plan.node_keys[i]);
        if (texts.empty() || !said.insert(i).second) continue;
        for (const std::string& text : texts) context_.reporter.plugin_line(node(i).name, FLOWRUN_LOG_WARNING, text);
      }
    }
  }

  graph::NodeCall::Log log_of(std::size_t i) { return warnings_.keeping(i, node_log(context_, node(i).name)); }

  std::string staging_of(std::size_t a) {
    auto& staging = staging_[a];
    if (staging.empty()) staging = context_.store.make_staging(artifact(a).key);
    return staging;
  }

  graph::NodeContext flow_context(std::size_t i) {
    auto& records = records_[i];
    if (!records) records = std::make_unique<graph::NodeRecords>(records_path(i));
    return {node(i).name, plugin_label(node(i)), node(i).skip_errors, records.get(), log_of(i), static_cast<int>(node(i).threads)};
  }

  std::string records_path(std::size_t i) const { return fmt::format("{}/{}.zst", records_folder_, context_.plan.node_keys[i]); }

  void build(graph::Flow& flow) {
    for (const std::size_t i : stage_.nodes) {
      if (!needed_.contains(i) || node(i).descriptor().kind == "indexed") continue;
      add_node(flow, i);
    }
    for (const std::size_t a : missing_)
      if (artifact(a).kind != ArtifactKind::kNode && node(artifact(a).node).descriptor().kind != "blocking") add_sink(flow, a);
  }

  /// One stream into a node: where it comes from in the flow, and the port that it enters.
  struct Stream {
    graph::Flow::NodeId from;
    std::uint32_t output, port;
  };

  /// Where a stream comes from in the flow, and its columns.
  struct StreamSource {
    graph::Flow::NodeId id;
    std::uint32_t output;
    Field schema;
  };

  void add_node(graph::Flow& flow, std::size_t i) {
    const auto& descriptor = node(i).descriptor();
    std::vector<Stream> streams;
    std::vector<Field> input_fields(descriptor.inputs.size());
    std::vector<const Field*> inputs(descriptor.inputs.size(), nullptr);
    for (std::size_t p = 0; p < descriptor.inputs.size(); ++p) {
      if (descriptor.inputs[p].edge != EdgeKind::kStream || node(i).inputs[p].empty()) continue;
      input_fields[p] = add_streams(flow, i, p, streams);
      inputs[p] = &input_fields[p];
    }
    MadeNode made = make_node(context_, i, inputs, folder_of(i), log_of(i));
    const std::string& kind = descriptor.kind;
    graph::Flow::NodeId id = 0;
    if (kind == "source") {
      id = flow.add_source(flow_context(i), graph::source_body(*made.node), made.outputs.at(0), context_.graph.run.limit);
    } else if (kind == "map") {
      id = flow.add_map(flow_context(i), made.node->interface<flowrun_map>(FLOWRUN_MAP_V1), made.node->self(), input_fields.at(0), made.outputs);
    } else if (kind == "serial") {
      id = flow.add_ordered(flow_context(i), graph::serial_body(*made.node), input_fields, made.outputs);
    } else if (kind == "blocking") {
      id = add_blocking(flow, i, made, input_fields, streams);
    } else {
      throw Error(Code::kUnsupported, fmt::format("node '{}' is of kind '{}', which runs in no data stage", node(i).name, kind));
    }
    for (const auto& stream : streams) flow.connect(stream.from, stream.output, id, stream.port);
    flow_nodes_[i] = id;
    schemas_[i] = made.outputs;
    made_.push_back(std::move(made.node));
  }

  /// Returns the folder that a node writes into: its artifact's, or for a blocking node that gives a stream the spool's, for what it keeps meanwhile. "": none.
  std::string folder_of(std::size_t i) {
    const auto artifact = node(i).descriptor().kind == "blocking" && context_.plan.spool_of({i, 0}) ? context_.plan.spool_of({i, 0}) : own_artifact(i);
    return artifact && missing_.contains(*artifact) ? staging_of(*artifact) : std::string();
  }

  graph::Flow::NodeId add_blocking(graph::Flow& flow, std::size_t i, const MadeNode& made, std::vector<Field>& input_fields, std::vector<Stream>& streams) {
    const auto spool = context_.plan.spool_of({i, 0});
    std::unique_ptr<graph::OrderedBody> sink;
    if (spool && missing_.contains(*spool)) sink = std::make_unique<graph::SpoolBody>(staging_of(*spool), made.outputs.at(0));
    const auto* selection = made.node->extension<flowrun_selection>(FLOWRUN_SELECTION_DRAFT_1);
    if (selection == nullptr || !sink) return flow.add_ordered(flow_context(i), graph::blocking_body(*made.node, std::move(sink)), input_fields, {});

    const Field input = input_fields.at(0);
    sketchings_.push_back(std::make_unique<graph::Sketching>(*made.node, selection, input));
    graph::Sketching& sketching = *sketchings_.back();
    for (Stream& stream : streams) {
      const auto id = flow.add_map({node(i).name, plugin_label(node(i)), false, nullptr, log_of(i), static_cast<int>(node(i).threads)}, &graph::Sketching::kMap, &sketching, input, {sketching.schema()});
      flow.connect(stream.from, stream.output, id, 0);
      stream = {id, 0, stream.port};
    }
    input_fields[0] = sketching.schema();
    const graph::NodeContext context = flow_context(i);
    return flow.add_ordered(context, graph::selection_body(*made.node, selection, input, staging_of(*spool), std::move(sink), *records_.at(i)), input_fields, {});
  }

  /// Appends the streams of one port, each with the columns of all, and returns these.
  Field add_streams(graph::Flow& flow, std::size_t i, std::size_t port, std::vector<Stream>& streams) {
    std::vector<StreamSource> sources;
    std::vector<Field> schemas;
    for (const auto& from : node(i).inputs[port]) {
      sources.push_back(stream_from(flow, from, i, port));
      schemas.push_back(sources.back().schema);
    }
    Field joined = joined_schema(context_, i, port, schemas);
    for (auto& source : sources) {
      if (!(source.schema == joined)) source = widened(flow, source, joined);
      streams.push_back({source.id, source.output, static_cast<std::uint32_t>(port)});
    }
    return joined;
  }

  StreamSource widened(graph::Flow& flow, const StreamSource& source, const Field& schema) {
    widenings_.push_back(std::make_unique<graph::Widening>(source.schema, schema));
    const auto id = flow.add_map({"(columns)", "", false, nullptr, {}, 0}, &graph::Widening::kMap, widenings_.back().get(), source.schema, {schema});
    flow.connect(source.id, source.output, id, 0);
    return {id, 0, schema};
  }

  std::optional<std::size_t> own_artifact(std::size_t i) const {
    const auto own = context_.plan.artifact_of(i);
    return own && artifact(*own).stage == index_ ? own : std::nullopt;
  }

  /// Returns where a stream comes from: a node of this stage, or a new reader of its spool or of its rows.
  StreamSource stream_from(graph::Flow& flow, const Connection& from, std::size_t to, std::size_t port) {
    if (same_stage_stream(context_.graph, context_.plan, from, to, port))
      return {flow_nodes_.at(from.node), static_cast<std::uint32_t>(from.output), schemas_.at(from.node).at(from.output)};
    const auto& run = context_.graph.run;
    if (const auto spool = context_.plan.spool_of(from))
      return add_reader(flow, node(from.node).name + " (spool)", std::make_unique<graph::SpoolSource>(context_.store.folder(artifact(*spool).key), run.batch_bytes, run.batch_documents));
    const graph::DatasetSource::Sizes sizes{graph::DatasetSource::window_bytes(run.memory_bytes, context_.threads), run.batch_bytes, run.batch_documents};
    return add_reader(flow, node(from.node).name + " (rows)", std::make_unique<graph::DatasetSource>(*datasets_.finite_rows(from, to), sizes));
  }

  /// Adds a source of the runtime's own.
  template <class Source>
  static StreamSource add_reader(graph::Flow& flow, std::string name, std::unique_ptr<Source> source) {
    const Field schema = source->schema();
    const auto id = flow.add_source({std::move(name), "", false, nullptr, {}, 0}, std::move(source), schema, -1);
    return {id, 0, schema};
  }

  /// Adds the runtime's own sink of a spool, or of a stream that nobody reads.
  void add_sink(graph::Flow& flow, std::size_t a) {
    const std::size_t i = artifact(a).node;
    const bool spool = artifact(a).kind == ArtifactKind::kSpool;
    const auto outputs = spool ? std::vector<std::size_t>{artifact(a).output} : all_outputs(i);
    staging_of(a);
    for (const std::size_t output : outputs) {
      std::unique_ptr<graph::OrderedBody> body;
      const Field& schema = schemas_.at(i).at(output);
      if (spool) body = std::make_unique<graph::SpoolBody>(staging_of(a), schema);
      else body = std::make_unique<EndBody>();
      auto& records = sink_records_[a];
      records = std::make_unique<graph::NodeRecords>("");
      const auto id = flow.add_ordered({node(i).name + (spool ? " (spool)" : " (end)"), "", false, records.get(), {}, 0}, std::move(body), {schema}, {});
      flow.connect(flow_nodes_.at(i), static_cast<std::uint32_t>(output), id, 0);
    }
  }

  std::vector<std::size_t> all_outputs(std::size_t i) const {
    std::vector<std::size_t> outputs;
    for (std::size_t o = 0; o < schemas_.at(i).size(); ++o) outputs.push_back(o);
    return outputs;
  }

  /// Indexed nodes run after the flow: their inputs are artifacts of earlier stages, or indexes prepared just now.
  void prepare_indexed() {
    for (const std::size_t i : stage_.nodes) {
      const auto own = own_artifact(i);
      if (node(i).descriptor().kind != "indexed" || !own || !missing_.contains(*own)) continue;
      datasets_.prepare(i, staging_of(*own), control_, log_of(i));
      throw_if_stopped();
      commit_one(*own);
    }
  }

  void throw_if_stopped() const {
    if (const auto error = control_.error()) {
      Error thrown(error->code, error->message);
      if (!error->where.empty()) thrown.add_context(error->where);
      thrown.add_context(fmt::format("in node '{}'{}", error->node, error->plugin.empty() ? "" : " (" + error->plugin + ")"));
      throw thrown;
    }
    if (control_.stopping()) throw Error(Code::kCancelled, "the run is stopping");
  }

  void commit() {
    for (auto& [i, records] : records_) has_drops_[i] = records->drops.finish();
    for (const std::size_t a : missing_)
      if (!committed_.contains(a)) commit_one(a);
  }

  /// Writes the records of all that is upstream into the artifact's folder and commits it.
  void commit_one(std::size_t a) {
    const std::string staging = staging_of(a);
    nlohmann::json nodes = nlohmann::json::object(), warnings = nlohmann::json::object();
    const auto add_warnings = [&](std::size_t i) {
      if (auto texts = warnings_.of(i); !texts.empty()) warnings[context_.plan.node_keys[i]] = std::move(texts);
    };
    if (node(artifact(a).node).descriptor().kind == "indexed") {
      nodes[context_.plan.node_keys[artifact(a).node]] = indexed_counters(artifact(a).node);
      add_warnings(artifact(a).node);
    } else {
      std::set<std::size_t> upstream;
      upstream_of(artifact(a).node, upstream);
      for (const std::size_t i : upstream) {
        nodes[context_.plan.node_keys[i]] = records_.at(i)->counters().to_manifest();
        add_warnings(i);
        if (!has_drops_.at(i)) continue;
        fs::create_directories(staging + "/drops");
        fs::create_hard_link(records_path(i), fmt::format("{}/drops/{}.zst", staging, context_.plan.node_keys[i]));
      }
    }
    context_.store.commit(artifact(a).key, staging, {{"stream", stream_of(a).to_json()["in"]}, {"type", artifact(a).type}, {"nodes", std::move(nodes)}, {"warnings", std::move(warnings)}, {"plugin", plugin_label(node(artifact(a).node))}, {"created_time", utc_now()}});
    committed_.insert(a);
  }

  /// Returns what has entered a spool, as its `in`.
  graph::Counters stream_of(std::size_t a) const {
    graph::Counters counters;
    if (sink_records_.contains(a)) counters = sink_records_.at(a)->counters();
    else if (artifact(a).kind == ArtifactKind::kSpool) counters.in = records_.at(artifact(a).node)->counters().out;  // a blocking node's
    return counters;
  }

  /// An indexed node uses what it is given: in and out are the rows of its inputs, from their manifests.
  nlohmann::json indexed_counters(std::size_t i) const {
    graph::Counters counters;
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
      for (const auto& from : node(i).inputs[p]) {
        if (node(i).descriptor().inputs[p].edge != EdgeKind::kDataset) continue;
        const auto& behind = artifact(context_.plan.artifact_behind(from));
        const auto manifest = context_.store.manifest(behind.key);
        if (behind.kind == ArtifactKind::kSpool) {
          const auto& stream = manifest.at("stream");
          counters.in += {stream.at("documents").get<std::int64_t>(), stream.at("bytes").get<std::int64_t>(), 0};
        } else {
          counters.in += graph::Counters::from_manifest(manifest.at("nodes").at(context_.plan.node_keys[from.node])).out;
        }
      }
    counters.out = counters.in;
    return counters.to_json();
  }

  graph::Tally tally_read() const {
    graph::Tally tally;
    for (const auto& [i, records] : records_)
      if (reads_from_outside(i)) tally += records->counters().in;
    return tally;
  }

  /// Returns whether no node of this stage feeds node `i`.
  bool reads_from_outside(std::size_t i) const {
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
      for (const auto& from : node(i).inputs[p])
        if (same_stage_stream(context_.graph, context_.plan, from, i, p)) return false;
    return true;
  }

  nlohmann::json sample() const {
    nlohmann::json nodes = nlohmann::json::object();
    for (const auto& [i, records] : records_) nodes[node(i).name] = records->counters().to_json();
    return {{"version", 1}, {"stage", index_}, {"kind", "data"}, {"credits_bytes", credits_.outstanding()}, {"credits_peak_bytes", credits_.peak()}, {"nodes", std::move(nodes)}};
  }

  const RunContext& context_;
  const Stage& stage_;
  const std::size_t index_;
  graph::StageControl control_;
  graph::CreditAccount credits_;
  const std::string records_folder_;
  std::vector<std::unique_ptr<FileLock>> locks_;
  std::set<std::size_t> missing_, needed_, committed_;
  NodeWarnings warnings_;
  std::map<std::size_t, std::string> staging_;                             ///< by artifact
  Datasets datasets_{context_};                                             ///< rows by position
  std::vector<std::unique_ptr<graph::PluginNode>> made_;
  std::vector<std::unique_ptr<graph::Widening>> widenings_;
  std::vector<std::unique_ptr<graph::Sketching>> sketchings_;
  std::map<std::size_t, graph::Flow::NodeId> flow_nodes_;
  std::map<std::size_t, std::vector<Field>> schemas_;
  std::map<std::size_t, std::unique_ptr<graph::NodeRecords>> records_;
  std::map<std::size_t, bool> has_drops_;
  std::map<std::size_t, std::unique_ptr<graph::NodeRecords>> sink_records_;  ///< by artifact
};

}  // namespace

DataStageResult run_data_stage(const RunContext& context, std::size_t index) {
  io::set_phase("data");
  return StageRunner(context, index).run();
}

std::vector<nlohmann::ordered_json> tap_data_stage(const RunContext& context, const Connection& edge, std::int64_t count) {
  return StageRunner(context, context.plan.stage_of[edge.node]).tap(edge, count);
}

}  // namespace flowrun::run
