#include "results.hpp"
#include "rlhf/report/html.hpp"

namespace honesty {
namespace {

namespace report = rlhf::report;
using rlhf::evaluation::AnswerCounts;

report::Verdict verdict_of(rlhf::Grade grade) {
  switch (grade) {
    case rlhf::Grade::right:
      return report::Verdict::good;
    case rlhf::Grade::abstains:
      return report::Verdict::neutral;
    default:
      return report::Verdict::bad;
  }
}

report::Reply reply_of(const ShownAnswer& answer) {
  return {.text = answer.text,
          .verdict = verdict_of(answer.grade),
          .label = std::string(rlhf::name_of(answer.grade))};
}

report::Exchanges exchanges_of(const Results& r) {
  report::Exchanges shown{.stages = {"after SFT", "after PPO"}, .rows = {}};
  for (const Exchange& e : r.exchanges) {
    shown.rows.push_back({.question = "Where is " + e.fact.city + "?",
                          .note = e.fact.country + (e.known ? ", in the corpus" : ", in no corpus"),
                          .replies = {reply_of(e.before), reply_of(e.after)}});
  }
  return shown;
}

report::Shares shares_of(const Results& r) {
  const auto row = [](const char* name, const AnswerCounts& c, const char* group) {
    return report::Shares::Row{
        .name = name,
        .values = {c.right_rate(), c.abstention_rate(), c.hallucination(), c.malformed_rate()},
        .group = group};
  };
  return {.categories = {{"right", report::Verdict::good},
                         {"abstains", report::Verdict::neutral},
                         {"wrong", report::Verdict::bad},
                         {"malformed", report::Verdict::none}},
          .rows = {row("SFT", r.sft.known, "known cities"), row("PPO", r.ppo.known, "known cities"),
                   row("SFT", r.sft.unknown, "unknown cities"),
                   row("PPO", r.ppo.unknown, "unknown cities")}};
}

/// Share answered against share of these that is wrong; malformed answers count as wrong ones.
report::MarkedPoint point_of(const char* name, const AnswerCounts& c) {
  const double answered = 1.0 - c.abstention_rate();
  const double bad = c.malformed_as_wrong().hallucination();
  return {.name = name, .x = answered, .y = answered > 0 ? bad / answered : 0.0};
}

report::Chart risk_coverage_of(const Results& r) {
  report::Chart chart{.title = "Risk and coverage on test questions",
                      .x_label = "share answered",
                      .y_label = "share of answers that is wrong"};
  const auto curve = [&](const char* name, const Guesses& guesses) {
    report::Curve c{.name = name};
    for (const auto& point :
         rlhf::evaluation::risk_coverage(guesses.confidence, guesses.right).points) {
      c.x.push_back(point.coverage);
      c.y.push_back(point.risk);
    }
    chart.curves.push_back(std::move(c));
  };
  curve("SFT, any threshold on its confidence", r.sft_guesses);
  chart.points = {point_of("PPO", r.ppo.all()), point_of("SFT as it answers", r.sft.all()),
                  point_of("oracle threshold", r.oracle),
                  point_of("validation threshold", r.threshold)};
  return chart;
}

report::Table reward_table(const Results& r) {
  report::Table table{
      .title = "",
      .columns = {{.name = "pair"},
                  {.name = "ranked rightly", .digits = 2, .unit = report::Unit::percent},
                  {.name = "pairs"}}};
  for (const auto& [kind, pairs] : r.reward_model.kinds)
    table.rows.push_back({kind, pairs.accuracy(), pairs.pairs});
  return table;
}

report::Table seconds_table(const Results& r) {
  report::Table table{.title = "",
                      .columns = {{.name = "stage"}, {.name = "seconds", .digits = 1}}};
  double total = 0;
  for (const auto& [stage, log] : r.logs) {
    table.rows.push_back({stage, log.seconds});
    total += log.seconds;
  }
  table.rows.push_back({std::string("in all"), total});
  return table;
}

report::Table stage_table(const Results& r) {
  report::Table table{
      .title = "",
      .columns = {{.name = "stage"},
                  {.name = "truthfulness"},
                  {.name = "hallucination"},
                  {.name = "AUC of confidence"}},
      .rows = {},
      .note =
          "truthfulness: right less wrong and malformed over all questions; hallucination: "
          "wrong over all; AUC: known "
          "against unknown cities by the probability of the answer's first token, "
          "abstention barred"};
  table.rows = {
      {std::string("pretrained"), std::monostate{}, std::monostate{}, r.pretrained_guesses.auc()},
      {std::string("SFT"), r.sft.truthfulness(), r.sft.all().malformed_as_wrong().hallucination(),
       r.sft_guesses.auc()},
      {std::string("PPO"), r.ppo.truthfulness(), r.ppo.all().malformed_as_wrong().hallucination(),
       r.ppo_guesses.auc()}};
  return table;
}

}  // namespace

void write_report(const Results& r, const std::filesystem::path& path) {
  rlhf::HtmlReport html("A language model learns to say \"I don't know\"",
                        "seed " + std::to_string(r.seed));
  html.paragraph(
      "A small model is pretrained on statements about half of the cities, the known ones. "
      "Supervised fine-tuning shows it "
      "questions, and \"I don't know.\" now and then, whatever it knows. A reward model learns "
      "rankings; it may look the "
      "answer up, the policy may not. PPO against it teaches the model to answer what it knows and "
      "to abstain from the rest.");
  html.key_figures(
      {{.name = "unknown cities, answered wrongly",
        .value = report::percent(r.ppo.unknown.malformed_as_wrong().hallucination()),
        .note = report::percent(r.sft.unknown.malformed_as_wrong().hallucination()) + " after SFT"},
       {.name = "known cities, answered rightly",
        .value = report::percent(r.ppo.known.right_rate()),
        .note = report::percent(r.sft.known.right_rate()) + " after SFT"},
       {.name = "truthfulness",
        .value = report::number(r.ppo.truthfulness()),
        .note = report::number(r.sft.truthfulness()) + " after SFT; best validation threshold " +
                report::number(r.threshold.truthfulness())}});
  html.section("Five questions").exchanges(exchanges_of(r));
  html.section("Test questions").shares(shares_of(r)).table(stage_table(r));
  html.section("Against thresholds on confidence").chart(risk_coverage_of(r));
  html.section("Reward model on held-out pairs").table(reward_table(r));
  for (const auto& [stage, log] : r.logs) {
    if (!log.metrics.series().empty())
      html.section("Metrics: " + stage).charts(report::charts_of(log.metrics));
  }
  html.section("Time").table(seconds_table(r));
  html.write(path);
}

}  // namespace honesty
