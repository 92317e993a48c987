#include "common/run.hpp"

#include <algorithm>

#include "rlhf/io/files.hpp"
#include "rlhf/report/console.hpp"
#include "rlhf/report/jsonl.hpp"
#include "rlhf/report/tensorboard.hpp"

namespace instructgpt {

namespace fs = std::filesystem;

Run::Run(const Program& program, const RunOptions& options, int64_t steps,
         std::vector<std::string> shown)
    : name_(program.name()),
      configuration_(program.configuration()),
      folder_(options.out / "training") {
  options.prepare();
  fs::create_directories(folder_);
  rlhf::io::write_file_atomically(folder_ / "options.json", configuration_);
  sinks_.add(rlhf::ConsoleProgress({.label = name_,
                                    .total_steps = steps,
                                    .metrics = std::move(shown),
                                    .line_every = std::max<int64_t>(1, steps / 20)}));
  sinks_.add(rlhf::JsonlSink(folder_ / "metrics.jsonl"));
  sinks_.add(rlhf::TensorBoardSink(folder_ / "tensorboard"));
  sinks_.add(std::ref(history_));
}

void Run::report(const std::vector<std::string>& figures,
                 const rlhf::report::Exchanges& samples) const {
  rlhf::HtmlReport report("InstructGPT: " + name_);
  std::vector<rlhf::report::KeyFigure> shown;
  for (const std::string& name : figures) {
    if (!history_.contains(name)) continue;
    const auto& series = history_[name];
    shown.push_back({.name = name,
                     .value = rlhf::report::number(series.values.back(), 4),
                     .note = "at first " + rlhf::report::number(series.values.front(), 4)});
  }
  if (!shown.empty()) report.key_figures(shown);
  if (!samples.rows.empty()) report.section("Samples").exchanges(samples);
  report.section("Metrics").charts(rlhf::report::charts_of(history_));
  report.section("Options").verbatim(configuration_);
  report.write(folder_ / "report.html");
}

}  // namespace instructgpt
