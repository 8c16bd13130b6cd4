#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "run/exit_codes.hpp"
#include "train/checkpoint_files.hpp"

namespace flowrun::cli {

void add_checkpoint(CLI::App& app, Invocation& invocation) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("checkpoint", "Look after checkpoints");
  command->require_subcommand(1);
  CLI::App* verify = command->add_subcommand("verify", "Check every hash of a checkpoint's folder");
  verify->add_option("folder", *folder, "The checkpoint, for example runs/pretrain/checkpoints/latest")->required()->type_name("DIR");
  verify->callback([folder, &invocation] {
    const auto report = train::verify_checkpoint(*folder);
    for (const auto& problem : report.problems) std::fprintf(stderr, "error: %s\n", problem.c_str());
    if (report.problems.empty()) print(fmt::format("{}: {} files, {} bytes, all hashes right\n", *folder, report.files, report.bytes));
    invocation.result = report.problems.empty() ? run::kOk : run::kDamagedInput;
  });
}

}  // namespace flowrun::cli
