// What `plan` says of a mixture, weights that a node measures, and the stages of a curriculum, each through the built binary.

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Mixes : public PipelineTest {
 protected:
  Mixes() { write_pipeline(2, 60'000); }

  Finished plan(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"plan", "prepare.toml", "--artifacts", "artifacts"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return flowrun(arguments);
  }
  nlohmann::json mix(std::vector<std::string> more = {}) const {
    more.push_back("--json");
    const auto finished = plan(more);
    EXPECT_EQ(finished.exit_code, 0) << finished;
    const auto planned = nlohmann::json::parse(finished.out, nullptr, false);
    EXPECT_EQ(planned["mixes"].size(), 1u) << planned;
    return planned["mixes"][0];
  }
  void run_graph(const std::string& graph = "prepare.toml") const {
    const auto finished = flowrun({"run", graph, "--output", "out", "--artifacts", "artifacts"});
    ASSERT_EQ(finished.exit_code, 0) << finished;
  }
  void add_to_graph(const std::string& more) const { write("prepare.toml", read("prepare.toml") + more); }
};

TEST_F(Mixes, AreKnownOnceTheirTokensAre) {
  EXPECT_EQ(mix()["node"], "mix");
  EXPECT_TRUE(mix()["domains"].is_null());
  EXPECT_NE(plan().out.find("mix 'mix': its proportions are known once its tokens have been made\n"), std::string::npos);
  run_graph();
  const auto made = mix();
  ASSERT_EQ(made["domains"].size(), 2u);
  double proportions = 0, tokens = 0, mass = 0, drawn = 0;
  for (const auto& domain : made["domains"]) {
    EXPECT_EQ(domain["weight"], domain["domain"] == "web" ? 2.0 : 1.0);
    proportions += domain["proportion"].get<double>();
    tokens += domain["tokens"].get<double>();
    mass += domain["weight"].get<double>() * domain["tokens"].get<double>();
  }
  for (const auto& domain : made["domains"]) {
    const double own = domain["tokens"].get<double>(), share = domain["weight"].get<double>() * own / mass;
    EXPECT_NEAR(domain["proportion"].get<double>(), share, 0.02) << "to within a document";
    EXPECT_NEAR(domain["epochs"].get<double>(), domain["proportion"].get<double>() * made["tokens"].get<double>() / own, 1e-9);
    EXPECT_NEAR(domain["repeated_tokens"].get<double>(), std::max(0.0, (domain["epochs"].get<double>() - 1) * own), 1);
    drawn += domain["epochs"].get<double>() * own;
  }
  EXPECT_NEAR(proportions, 1, 1e-12);
  EXPECT_GE(made["tokens"].get<double>(), 2 * tokens) << "epochs = 2";
  EXPECT_NEAR(drawn, made["tokens"].get<double>(), 1e-6);
  EXPECT_TRUE(made["warnings"].empty());
}

TEST_F(Mixes, OfOtherWeightsAreKnownBeforeTheyAreMade) {
  run_graph();
  const auto before = read_tree(path("artifacts"));
  const auto other = mix({"--set", "node.mix.weights.web=0.0", "--set", "node.mix.epochs=6.0"});
  for (const auto& domain : other["domains"]) EXPECT_EQ(domain["proportion"], domain["domain"] == "web" ? 0.0 : 1.0);
  ASSERT_EQ(other["warnings"].size(), 1u);
  EXPECT_EQ(other["warnings"][0].get<std::string>().find("'books' is repeated for 6.0"), 0u) << other["warnings"];
  const auto text = plan({"--set", "node.mix.weights.web=0.0", "--set", "node.mix.epochs=6.0"});
  EXPECT_NE(text.out.find("  warning: 'books' is repeated for 6.0"), std::string::npos) << text;
  EXPECT_NE(text.out.find("repeated tokens\n"), std::string::npos) << text;
  EXPECT_EQ(differences(before, read_tree(path("artifacts"))), std::vector<std::string>{}) << "nothing is left behind";
}

TEST_F(Mixes, WithoutAnEndHaveProportionsAlone) {
  std::string graph = read("prepare.toml");
  graph.erase(graph.find("epochs = 2.0\n"), 13);
  write("prepare.toml", graph);
  run_graph();
  const auto made = mix();
  EXPECT_TRUE(made["tokens"].is_null());
  for (const auto& domain : made["domains"]) {
    EXPECT_GT(domain["proportion"].get<double>(), 0);
    EXPECT_TRUE(domain["epochs"].is_null());
    EXPECT_TRUE(domain["repeated_tokens"].is_null());
  }
  EXPECT_NE(plan().out.find("mix 'mix': without end\n"), std::string::npos);
}

TEST_F(Mixes, TakeWeightsThatANodeMeasures) {
  std::string graph = read("prepare.toml");
  const std::string fixed = "weights = { web = 2.0 }\n";
  graph.replace(graph.find(fixed), fixed.size(), "weights_from = \"quality\"\n");
  write("prepare.toml", graph + "[node.quality]\nplugin = \"mixers/quality_weights\"\nin = \"parts.train\"\n");
  run_graph();
  const auto made = mix();
  ASSERT_EQ(made["domains"].size(), 2u);
  std::map<std::string, double> measured;
  const auto manifest = json("out/manifest.json");
  for (const auto& artifact : manifest["artifacts"]) {
    if (artifact["node"] != "quality") continue;
    const std::string key = artifact["key"];
    const auto weights = json("artifacts/" + key.substr(0, 2) + "/" + key + "/weights.json");
    for (const auto& domain : weights["domains"]) measured[domain["domain"]] = domain["weight"];
  }
  ASSERT_EQ(measured.size(), 2u);
  for (const auto& domain : made["domains"]) EXPECT_EQ(domain["weight"], measured.at(domain["domain"]));
  expect_exact_sums(json("out/funnel.json"));
}

/// Texts are scored, their tokens kept as shards, and the shards mixed by another graph.
TEST_F(Mixes, GoByTheScoresThatShardsBringAlong) {
  std::string graph = read("prepare.toml");
  const std::string unscored = "in = \"good\"\n";
  graph.replace(graph.find(unscored), unscored.size(), "in = \"scored\"\n");
  write("prepare.toml", graph + R"([node.scored]
plugin = "filters/text_scores"
in = "good"
[node.scores]
plugin = "writers/jsonl"
in = "parts.train"
path = "scores.jsonl"
[node.shards]
plugin = "writers/token_shards"
in = "train_tokens"
path = "shards"
format = "flowrun"
vocab_size = 400
shard_tokens = 20_000
)");
  run_graph();
  std::map<std::string, std::pair<double, double>> words;  // sum and documents
  for (const auto& document : json_lines("out/scores.jsonl")) {
    EXPECT_GT(document["score.compression_ratio"].get<double>(), 0);
    words[document["domain"]].first += document["score.words"].get<double>();
    words[document["domain"]].second += 1;
  }
  ASSERT_EQ(words.size(), 2u);
  write("prepare.toml", R"([node.tokens]
plugin = "readers/tokens"
paths = ["out/shards/*"]
[node.mix]
plugin = "mixers/weighted"
in = "tokens"
quality_column = "score.words"
order_by = "score.flesch"
epochs = 1.0
[node.sequences]
plugin = "packers/concat"
in = "mix"
sequence_length = 64
)");
  const auto finished = flowrun({"run", "prepare.toml", "--output", "mixed", "--artifacts", "artifacts"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto made = mix();
  ASSERT_EQ(made["domains"].size(), 2u);
  for (const auto& domain : made["domains"]) {
    const auto [sum, documents] = words.at(domain["domain"]);
    EXPECT_NEAR(domain["weight"].get<double>(), sum / documents, 1e-9 * sum) << domain;
  }
}

TEST_F(Mixes, OfStagesRunAndAreCheckedAtTheirPlaces) {
  add_to_graph("[[node.mix.stages]]\nfraction = 0.5\norder_by = \"length\"\n[[node.mix.stages]]\nweights = { books = 3.0 }\n");
  run_graph();
  EXPECT_EQ(mix()["domains"].size(), 2u);
  write("wrong.toml", read("prepare.toml") + "[[node.mix.stages]]\nfraktion = 0.5\n[[node.mix.stages]]\nfraction = 2.0\nsteps = 1.5\n");
  const auto finished = flowrun({"validate", "wrong.toml", "--json"});
  EXPECT_EQ(finished.exit_code, 78) << finished;
  std::vector<std::string> messages;
  const auto report = nlohmann::json::parse(finished.out, nullptr, false);
  for (const auto& diagnostic : report["diagnostics"]) messages.push_back(diagnostic["code"].get<std::string>() + ": " + diagnostic["message"].get<std::string>());
  EXPECT_EQ(messages, (std::vector<std::string>{"unknown_key: 'stages[2]' has no field 'fraktion'", "out_of_range: 'stages[3].fraction' is 2, expected 0 to 1",
                                                "wrong_type: 'stages[3].steps' is a float, expected an integer"}));
}

TEST_F(Mixes, OfStagesAreShownInThePlan) {
  add_to_graph("[[node.mix.stages]]\nfraction = 0.5\norder_by = \"length\"\nsequence_length = 16\n[[node.mix.stages]]\nsequence_length = 64\nproportions = { books = 3.0, web = 1.0 }\n");
  EXPECT_TRUE(mix()["stages"].is_null());
  run_graph();
  const auto made = mix();
  ASSERT_EQ(made["stages"].size(), 2u) << made;
  const auto &first = made["stages"][0], &last = made["stages"][1];
  EXPECT_EQ(first["sequence_length"], 16);
  EXPECT_EQ(first["order_by"], "length");
  EXPECT_EQ(last["sequence_length"], 64);
  EXPECT_TRUE(last["order_by"].is_null());
  EXPECT_EQ(last["proportions"]["books"], 0.75);
  EXPECT_NEAR(first["tokens"].get<double>(), last["tokens"].get<double>(), 1);
  double mass = 0;
  for (const auto& domain : made["domains"]) mass += (domain["domain"] == "web" ? 2.0 : 1.0) * domain["tokens"].get<double>();
  for (const auto& domain : made["domains"])
    EXPECT_NEAR(first["proportions"][domain["domain"].get<std::string>()].get<double>(), (domain["domain"] == "web" ? 2.0 : 1.0) * domain["tokens"].get<double>() / mass, 1e-12);
  const auto text = plan().out;
  EXPECT_NE(text.find("  stage 0: " + first["tokens"].dump() + " tokens in sequences of 16, by 'length'; books 0."), std::string::npos) << text;
  EXPECT_NE(text.find("  stage 1: " + last["tokens"].dump() + " tokens in sequences of 64; books 0.7500, web 0.2500\n"), std::string::npos) << text;
}

TEST_F(Mixes, OfStageLengthsMustFitTheirPacker) {
  const std::string packer = "plugin = \"packers/concat\"\nin = \"mix\"\nsequence_length = 64\nshuffle_window = 16\n";
  const auto diagnostics = [&](const std::string& lengths, const std::string& other_packer) {
    std::string graph = read("prepare.toml");
    graph.replace(graph.find(packer), packer.size(), other_packer);
    write("other.toml", graph + lengths);
    const auto finished = flowrun({"validate", "other.toml", "--json"});
    std::vector<std::string> found;
    const auto report = nlohmann::json::parse(finished.out, nullptr, false);
    for (const auto& one : report["diagnostics"])
      if (one["severity"] == "error") found.push_back(std::to_string(one["line"].get<int>()) + ":" + std::to_string(one["column"].get<int>()) + " " + one["node"].get<std::string>() + ": " + one["message"].get<std::string>());
    EXPECT_EQ(finished.exit_code, found.empty() ? 0 : 78) << finished;
    return found;
  };
  const std::string stages = "[[node.mix.stages]]\nfraction = 0.5\nsequence_length = 24\n[[node.mix.stages]]\nsequence_length = 32\n";
  const auto lines = [&](const std::string& graph) { return std::count(graph.begin(), graph.end(), '\n'); };
  const std::string at = std::to_string(lines(read("prepare.toml")) + 3) + ":19 mix: ";
  EXPECT_EQ(diagnostics(stages, packer), (std::vector<std::string>{at + "'stages[0].sequence_length' is 24, expected a length that divides the 64 of 'sequence_length' in node 'sequences': shorter sequences share "
                                                                       "the place of one of these"}));
  EXPECT_TRUE(diagnostics(stages, packer + "follow_stages = false\n").empty());
  EXPECT_TRUE(diagnostics("[[node.mix.stages]]\nfraction = 0.5\nsequence_length = 16\n[[node.mix.stages]]\nsequence_length = 64\n", packer).empty());
  const std::string header = std::to_string(lines(read("prepare.toml").substr(0, read("prepare.toml").find("[node.sequences]"))) + 1) + ":1 sequences: ";
  for (const std::string name : {"buckets", "rows"})
    EXPECT_EQ(diagnostics(stages, "plugin = \"packers/" + name + "\"\nin = \"mix\"\nsequence_length = 512\n" + (name == "buckets" ? "batch_size = 4\n" : "")),
              (std::vector<std::string>{header + "the stages of 'mix' have a 'sequence_length', which packers/" + name + " does not follow; take it out of the stages, or pack them with packers/concat or packers/best_fit"}));
}

TEST_F(Mixes, ThatNoInputCouldMakeRightAreRefusedBeforeAnythingStarts) {
  const std::string graph = read("prepare.toml"), before = graph.substr(0, graph.find("[node.mix]"));
  const std::string place = std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ":1";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[[node.mix.stages]]\nfraction = 0.75\n[[node.mix.stages]]\nfraction = 0.5\n", "the fractions of the stages up to 'stages[1]' add up to 1.25, expected at most 1"},
      {"[[node.mix.stages]]\nfraction = 0.5\n[[node.mix.stages]]\nfraction = 0.25\n", "the fractions of the stages add up to 0.75, expected 1: leave the last one without a size for the rest"},
      {"[[node.mix.stages]]\nfraction = 1.0\n[[node.mix.stages]]\norder_by = \"length\"\n", "the fractions of the stages add up to 1, which leaves nothing for the stages of other sizes"},
  };
  for (const auto& [stages, message] : cases) {
    write("wrong.toml", graph + stages);
    for (const char* command : {"plan", "run"}) {
      const auto finished = flowrun({command, "wrong.toml", "--output", "out", "--artifacts", "artifacts"});
      EXPECT_EQ(finished.exit_code, 78) << finished;
      EXPECT_NE(finished.err.find(message), std::string::npos) << finished;
      EXPECT_NE(finished.err.find("wrong.toml:" + place), std::string::npos) << finished;
      EXPECT_NE(finished.err.find("in node 'mix' (mixers/weighted"), std::string::npos) << finished;
      EXPECT_FALSE(std::filesystem::exists(path("out"))) << "nothing was started";
    }
  }
}

TEST_F(Mixes, AndAllElseThatOnlyPluginsCheckAreRefusedTogether) {
  write("wrong.toml", read("prepare.toml") + "[[node.mix.stages]]\nfraction = 0.5\n[node.scored]\nplugin = \"filters/text_scores\"\nin = \"good\"\nscores = [\"nosuch\"]\n");
  const auto finished = flowrun({"plan", "wrong.toml", "--artifacts", "artifacts"});
  EXPECT_EQ(finished.exit_code, 78) << finished;
  EXPECT_NE(finished.err.find("error: the fractions of the stages add up to 0.5"), std::string::npos) << finished;
  EXPECT_NE(finished.err.find("error: 'scores' names 'nosuch'"), std::string::npos) << finished;
}

TEST_F(Mixes, NameTheColumnsThatThereAreBeforeAnythingStarts) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"node.mix.order_by=lenght"}, "the input has no column 'lenght', which 'order_by' names; it has 'id', 'domain', 'bytes', 'source', 'length'; did you mean 'length'?"},
      {{"node.mix.stages=[{ order_by = \"domain\" }]"}, "column 'domain', which 'stages[0].order_by' names, has Arrow format 'u', expected numbers"},
      {{"node.mix.weights={}", "node.mix.quality_column=score.x"}, "the input has no column 'score.x', which 'quality_column' names"},
  };
  for (const auto& [settings, message] : cases)
    for (const char* command : {"plan", "run"}) {
      std::vector<std::string> arguments{command, "prepare.toml", "--output", "out", "--artifacts", "artifacts"};
      for (const auto& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
      const auto finished = flowrun(arguments);
      EXPECT_EQ(finished.exit_code, 78) << finished;
      EXPECT_NE(finished.err.find(message), std::string::npos) << finished;
      EXPECT_NE(finished.err.find("in node 'mix' (mixers/weighted"), std::string::npos) << finished;
      EXPECT_FALSE(std::filesystem::exists(path("out"))) << "nothing was started";
    }
  EXPECT_EQ(plan({"--set", "node.mix.order_by=bytes"}).exit_code, 0) << "what tokens have of their own";
  for (const auto& entry : std::filesystem::directory_iterator(path("artifacts"))) EXPECT_NE(entry.path().filename().string().find(".plan-"), 0u) << "nothing is left behind";
}

/// Columns come from a node of the graph, behind which others wait for artifacts that are not there yet.
TEST_F(Mixes, KnowTheColumnsThatNodesAdd) {
  std::string graph = read("prepare.toml");
  const std::string unscored = "in = \"good\"\n", fixed = "weights = { web = 2.0 }\n";
  graph.replace(graph.find(unscored), unscored.size(), "in = \"scored\"\n");
  graph.replace(graph.find(fixed), fixed.size(), "weights_from = \"quality\"\norder_by = \"score.words\"\n");
  write("prepare.toml", graph + "[node.scored]\nplugin = \"filters/text_scores\"\nin = \"good\"\n[node.quality]\nplugin = \"mixers/quality_weights\"\nin = \"parts.train\"\ncolumns = [\"score.compression_ratio\"]\n");
  EXPECT_EQ(plan().exit_code, 0) << plan();
  const auto both = plan({"--set", "node.mix.order_by=score.word", "--set", "node.quality.columns=[\"score.compresion_ratio\"]"});
  EXPECT_EQ(both.exit_code, 78) << both;
  EXPECT_NE(both.err.find("did you mean 'score.words'?\n  in node 'mix'"), std::string::npos) << both;
  EXPECT_NE(both.err.find("did you mean 'score.compression_ratio'?\n  in node 'quality'"), std::string::npos) << both;
  run_graph();
}

TEST_F(Mixes, OfDomainsThatNoReaderGivesAreFoundByValidate) {
  const auto findings = [&](const std::vector<std::string>& settings, int exit_code) {
    std::vector<std::string> arguments{"validate", "prepare.toml", "--json"}, found;
    for (const auto& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << finished;
    const auto report = nlohmann::json::parse(finished.out, nullptr, false);
    for (const auto& one : report["diagnostics"])
      if (one["code"] == "constraint") found.push_back(one["severity"].get<std::string>() + ": " + one["message"].get<std::string>() + " " + one["suggestion"].dump());
    return found;
  };
  const std::string given = ", which no reader before it gives; they give 'books', 'web' ";
  EXPECT_EQ(findings({"node.mix.weights={ wbe = 2.0, laws = 1.0 }"}, 0),
            (std::vector<std::string>{"warning: 'weights' names the domain 'wbe'" + given + "\"web\"", "warning: 'weights' names the domain 'laws'" + given + "null"}));
  EXPECT_EQ(findings({"node.mix.sample_fraction={ boks = 0.5 }"}, 0), (std::vector<std::string>{"warning: 'sample_fraction' names the domain 'boks'" + given + "\"books\""}));
  EXPECT_EQ(findings({"node.mix.stages=[{ fraction = 0.5, proportions = { web = 1.0 } }, { weights = { web = 1.0, boooks = 3.0 } }]"}, 0),
            (std::vector<std::string>{"warning: 'stages[0].proportions' does not name the domain 'books': it is left out null", "warning: 'stages[1].weights' names the domain 'boooks'" + given + "\"books\""}));
  EXPECT_TRUE(findings({"node.mix.weights={ books = 0.0, web = 1.0 }"}, 0).empty());
  const std::string all_out = " leaves every domain out, expected one above 0 null";
  EXPECT_EQ(findings({"node.mix.weights={ books = 0.0, web = 0 }"}, 78), (std::vector<std::string>{"error: 'weights'" + all_out}));
  EXPECT_EQ(findings({"node.mix.sample_fraction={ books = 0.0, web = 0.0 }"}, 78), (std::vector<std::string>{"error: 'sample_fraction'" + all_out}));
  EXPECT_EQ(findings({"node.mix.stages=[{ proportions = { boks = 1.0 } }]"}, 78), (std::vector<std::string>{"error: 'stages[0].proportions'" + all_out}));
  // Where documents bring their domains, any name may be right.
  const std::string own = "node.web.domain_field=url";
  EXPECT_TRUE(findings({own, "node.mix.weights={ wbe = 2.0 }"}, 0).empty());
  EXPECT_TRUE(findings({own, "node.mix.weights={ web = 0.0, books = 0.0 }"}, 0).empty());
  EXPECT_EQ(findings({own, "node.mix.stages=[{ proportions = { web = 0.0 } }]"}, 78), (std::vector<std::string>{"error: 'stages[0].proportions'" + all_out}));
}

TEST_F(Mixes, SayAgainWhatTheyWarnedOf) {
  std::string graph = read("prepare.toml");
  const std::string web = "domain = \"web\"\n", fixed = "weights = { web = 2.0 }\n";
  graph.replace(graph.find(web), web.size(), "domain = \"web\"\ndomain_field = \"section\"\n");  // which no record has
  graph.replace(graph.find(fixed), fixed.size(), "weights = { wbe = 2.0 }\n");
  write("prepare.toml", graph);
  const std::string warning = "'weights' names the domain 'wbe', of which the input has no document with tokens; did you mean 'web'?";
  const auto first = flowrun({"run", "prepare.toml", "--output", "out", "--artifacts", "artifacts"});
  ASSERT_EQ(first.exit_code, 0) << first;
  EXPECT_NE(first.err.find("warning: mix: " + warning + "\n"), std::string::npos) << first;
  const auto cached = flowrun({"run", "prepare.toml", "--output", "again", "--artifacts", "artifacts"});
  ASSERT_EQ(cached.exit_code, 0) << cached;
  EXPECT_NE(cached.err.find(" mix, sequences: cached\n"), std::string::npos) << cached;
  EXPECT_NE(cached.err.find("warning: mix: " + warning + "\n"), std::string::npos) << cached;
  EXPECT_EQ(mix()["warnings"], nlohmann::json::array({warning}));
  EXPECT_EQ(mix({"--set", "node.mix.weights.wbe=3.0"})["warnings"], nlohmann::json::array({warning})) << "of weights that have not been run";
}

/// Books have scores, the web has none: null where they join.
TEST_F(Mixes, SayWhatStandsInForAMissingScore) {
  std::string books, web;
  for (int i = 0; i < 40; ++i) {
    books += nlohmann::json{{"id", "book" + std::to_string(i)}, {"text", "the book number " + std::to_string(i)}, {"quality", 0.5 + i % 2}}.dump() + "\n";
    web += nlohmann::json{{"id", "page" + std::to_string(i)}, {"text", "the page number " + std::to_string(i)}}.dump() + "\n";
  }
  write("scored.jsonl", books);
  write("unscored.jsonl", web);
  write("prepare.toml", R"([node.books]
plugin = "readers/jsonl"
paths = ["scored.jsonl"]
id_field = "id"
domain = "books"
columns = ["quality: number"]
[node.web]
plugin = "readers/jsonl"
paths = ["unscored.jsonl"]
id_field = "id"
domain = "web"
[node.vocabulary]
plugin = "tokenizers/bpe_trainer"
in = ["books", "web"]
vocab_size = 300
[node.tokens]
plugin = "tokenizers/bpe"
in = ["books", "web"]
tokenizer = "vocabulary"
[node.mix]
plugin = "mixers/weighted"
in = "tokens"
quality_column = "quality"
epochs = 1.0
[node.sequences]
plugin = "packers/concat"
in = "mix"
sequence_length = 32
)");
  const auto refused = flowrun({"run", "prepare.toml", "--output", "out", "--artifacts", "artifacts"});
  EXPECT_EQ(refused.exit_code, 70) << refused;
  EXPECT_NE(refused.err.find("column 'quality' is null for document 'page0' of 'unscored.jsonl' (domain 'web'), expected a finite number; 'missing_scores' says what stands in for it, as in { \"quality\" = 0.5 }"),
            std::string::npos) << refused;
  const auto misspelt = plan({"--set", "node.mix.missing_scores={ qualty = 0.25 }"});
  EXPECT_EQ(misspelt.exit_code, 78) << misspelt;
  EXPECT_NE(misspelt.err.find("'missing_scores' names the column 'qualty', which no other parameter names; did you mean 'quality'?"), std::string::npos) << misspelt;
  write("prepare.toml", read("prepare.toml") + "[node.mix.missing_scores]\nquality = 0.25\n");
  run_graph();
  const auto made = mix();
  ASSERT_EQ(made["domains"].size(), 2u);
  for (const auto& domain : made["domains"]) EXPECT_DOUBLE_EQ(domain["weight"].get<double>(), domain["domain"] == "web" ? 0.25 : 1.0);
}

TEST_F(Mixes, ThatArePublishedAreValidGraphs) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLOWRUN_SOURCE_DIR "/graphs/mixes")) {
    std::string graph = read("prepare.toml");
    graph.erase(graph.find("[node.mix]"), graph.find("[node.sequences]") - graph.find("[node.mix]"));
    graph.insert(graph.find("domain = \"web\""), "domain_field = \"source\"\n");  // documents bring the domains that the mix names
    write("published.toml", "include = [\"" + entry.path().string() + "\"]\n" + graph);
    const auto finished = flowrun({"validate", "published.toml"});
    EXPECT_EQ(finished.exit_code, 0) << entry.path() << finished;
    ++found;
  }
  EXPECT_EQ(found, 4);
}

}  // namespace
}  // namespace flowrun::testing
