#include "rlhf/report/chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "rlhf/core/error.hpp"
#include "rlhf/report/html.hpp"
#include "support/error_of.hpp"

namespace rlhf::report {
namespace {

using nlohmann::json;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t start = text.find(before);
  if (start == text.npos) return "";
  const size_t begin = start + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

std::string html_of(const Chart& chart) {
  return HtmlReport("t").chart(chart).html();
}

/// What the page's script is given.
json numbers_of(const Chart& chart) {
  return json::parse(between(html_of(chart), "<script type=\"application/json\">", "</script>"));
}

std::string first_path(const Chart& chart) {
  const std::string curve = between(html_of(chart), "data-curve=\"0\" clip-path", "</g>");
  return between(curve, "d=\"", "\"");
}

TEST(ChartTest, PutsValuesWhereTheAxesSay) {
  const Chart chart{.curves = {{"a", {0, 5, 10}, {0, 1, 0}}}, .y_limits = Limits{0, 2}};
  const json numbers = numbers_of(chart);
  const double left = numbers["plot"][0], top = numbers["plot"][1], right = numbers["plot"][2],
               bottom = numbers["plot"][3];
  double x1, y1, x2, y2, x3, y3;
  ASSERT_EQ(std::sscanf(first_path(chart).c_str(), "M%lf %lfL%lf %lfL%lf %lf", &x1, &y1, &x2, &y2,
                        &x3, &y3),
            6);
  constexpr double rounding = 0.051;  // one digit after the point, twice
  EXPECT_NEAR(x1, left, rounding);
  EXPECT_NEAR(x2, (left + right) / 2, rounding);
  EXPECT_NEAR(x3, right, rounding);
  EXPECT_NEAR(y1, bottom, rounding);
  EXPECT_NEAR(y2, (top + bottom) / 2, rounding);
}

TEST(ChartTest, LogarithmicAxisPutsEqualRatiosAtEqualDistances) {
  const Chart chart{.curves = {{"a", {0, 1, 2}, {1e-4, 1e-1, 1e2}}}, .y_scale = Scale::logarithmic};
  double x, y1, y2, y3;
  ASSERT_EQ(
      std::sscanf(first_path(chart).c_str(), "M%lf %lfL%lf %lfL%lf %lf", &x, &y1, &x, &y2, &x, &y3),
      6);
  EXPECT_NEAR(y1 - y2, y2 - y3, 0.2);
  EXPECT_GT(y1, y2);
  EXPECT_THAT(html_of(chart), HasSubstr(">0.01</text>"));
}

TEST(ChartTest, BreaksTheLineWhereAValueCannotBeShown) {
  const std::vector<double> x = {0, 1, 2, 3, 4};
  EXPECT_EQ(std::ranges::count(first_path({.curves = {{"a", x, {1, 2, nan, 3, 4}}}}), 'M'), 2);
  EXPECT_EQ(std::ranges::count(first_path({.curves = {{"a", x, {1, 2, infinity, 3, 4}}}}), 'M'), 2);
  const Chart logarithmic{.curves = {{"a", x, {1, 2, 0, 3, 4}}}, .y_scale = Scale::logarithmic};
  EXPECT_EQ(std::ranges::count(first_path(logarithmic), 'M'), 2);
  EXPECT_THAT(html_of(logarithmic), Not(HasSubstr("inf")));
}

TEST(ChartTest, ShowsALonePointAsADot) {
  const std::string path = first_path({.curves = {{"a", {1}, {1}}}});
  EXPECT_EQ(std::ranges::count(path, 'M'), 1);
  EXPECT_EQ(std::ranges::count(path, 'L'), 1);
}

TEST(ChartTest, SaysThatThereIsNothingToShow) {
  EXPECT_THAT(html_of({.title = "t"}), HasSubstr(">no values<"));
  EXPECT_THAT(html_of({.curves = {{"a", {1, 2}, {nan, nan}}}}), HasSubstr(">no values<"));
  EXPECT_THAT(html_of({.curves = {{"a", {1, 2}, {1, 2}}}}), Not(HasSubstr(">no values<")));
}

TEST(ChartTest, ThinsLongCurvesButKeepsTheirSpikes) {
  std::vector<double> x(100000), y(100000, 1.0);
  std::iota(x.begin(), x.end(), 0.0);
  y[54321] = 50;
  y[54323] = -50;
  const json curve = numbers_of({.curves = {{"a", x, y}}})["curves"][0];
  EXPECT_LE(curve["x"].size(), 1000U);
  EXPECT_THAT(curve["x"].get<std::vector<double>>(), testing::IsSupersetOf({54321.0, 54323.0}));
  EXPECT_THAT(curve["y"].get<std::vector<double>>(), testing::IsSupersetOf({50.0, -50.0}));
}

TEST(ChartTest, GivesTheScriptExactSteps) {
  const json numbers =
      numbers_of({.x_label = "step", .curves = {{"a", {1, 1234567}, {0.123456789, 1}}}});
  EXPECT_EQ(numbers["label"], "step");
  EXPECT_EQ(numbers["curves"][0]["x"], json({1, 1234567}));
  EXPECT_EQ(numbers["curves"][0]["y"], json({0.12346, 1}));
}

TEST(ChartTest, NamesMarkedPointsApartFromEachOther) {
  const std::string html = html_of({.points = {{"PPO", 0.5, 0.5}, {"oracle", 0.5, 0.5}},
                                    .x_limits = Limits{0, 1},
                                    .y_limits = Limits{0, 1}});
  EXPECT_THAT(html, HasSubstr("<title>PPO: 0.5, 0.5</title>"));
  const std::string first = between(html, "z\"/><text x=\"", "\"");
  const size_t second_point = html.find("<title>oracle");
  const std::string second = between(html.substr(second_point), "z\"/><text x=\"", "\"");
  EXPECT_LT(std::stod(second), std::stod(first)) << "on the other side";
}

TEST(ChartTest, HasALegendWhereThereAreSeveralCurves) {
  EXPECT_THAT(html_of({.curves = {{"a", {1}, {1}}}}), Not(HasSubstr("<p class=\"legend\">")));
  EXPECT_THAT(html_of({.curves = {{"a", {1}, {1}}, {"b", {1}, {1}}}}),
              HasSubstr("data-curve=\"1\">b</button>"));
}

TEST(ChartTest, LabelsTicksWithRoundNumbers) {
  const auto y_labels = [](double low, double high) {
    const std::string html =
        html_of({.curves = {{"a", {1, 1}, {low, high}}}, .y_limits = Limits{low, high}});
    std::vector<std::string> labels;
    const std::string anchor = "text-anchor=\"end\">";
    for (size_t at = 0; (at = html.find(anchor, at)) != html.npos; ++at) {
      labels.push_back(between(html.substr(at), anchor, "<"));
    }
    return labels;
  };
  EXPECT_THAT(y_labels(0, 1), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(y_labels(-1, 1), ElementsAre("-1.0", "-0.8", "-0.6", "-0.4", "-0.2", "0", "0.2",
                                           "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(y_labels(0, 25000), ElementsAre("0", "5k", "10k", "15k", "20k", "25k"));
  EXPECT_THAT(y_labels(0, 3e6), ElementsAre("0", "0.5M", "1M", "1.5M", "2M", "2.5M", "3M"));
  EXPECT_THAT(y_labels(0, 3e-5),
              ElementsAre("0", "5e-6", "1e-5", "1.5e-5", "2e-5", "2.5e-5", "3e-5"));
  EXPECT_THAT(y_labels(1000, 1003),
              ElementsAre("1000.0", "1000.5", "1001.0", "1001.5", "1002.0", "1002.5", "1003.0"));
}

TEST(ChartTest, HasNoTickBetweenTwoSteps) {
  EXPECT_THAT(html_of({.curves = {{"a", {1, 2}, {1, 2}}}}), Not(HasSubstr(">1.5</text>")));
  EXPECT_THAT(html_of({.curves = {{"a", {1, 2.5}, {1, 1}}}}), HasSubstr(">1.6</text>"));
}

TEST(ChartTest, DrawsConstantAndHugeValues) {
  for (const double value : {0.0, 1.0, -3.5, 1e-12, 1e12, 1e308}) {
    const std::string html = html_of({.curves = {{"a", {1, 2}, {value, value}}}});
    EXPECT_THAT(html, Not(HasSubstr("nan"))) << value;
    EXPECT_THAT(html, Not(HasSubstr("inf"))) << value;
  }
}

TEST(ChartTest, NamesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                html_of({.title = "T", .curves = {{"a", {1, 2}, {1}}}});
              }),
              HasSubstr("Chart \"T\": y of curve \"a\": expected 2 values, one an x, got 1"));
  EXPECT_THAT(error_of([] {
                html_of({.title = "T", .x_limits = Limits{1, 1}});
              }),
              HasSubstr("Chart \"T\": x_limits: expected finite, low < high, got [1, 1]"));
  EXPECT_THAT(error_of([] {
                html_of({.title = "T", .y_scale = Scale::logarithmic, .y_limits = Limits{0, 1}});
              }),
              HasSubstr("Chart \"T\": y_limits: expected > 0 on a logarithmic axis"));
}

TEST(ChartsOf, MakesOneChartAMetric) {
  MetricHistory history;
  history.log(1, std::vector<Metric>{{"kl", 0.1}, {"reward", 1}});
  history.log(2, std::vector<Metric>{{"reward", 2}});
  const std::vector<Chart> all = charts_of(history);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].title, "reward");
  EXPECT_THAT(all[1].curves[0].x, ElementsAre(1, 2));
  EXPECT_THAT(all[1].curves[0].y, ElementsAre(1, 2));
  EXPECT_EQ(charts_of(history, {"reward"}).size(), 1U);
  EXPECT_THAT(error_of([&] { charts_of(history, {"loss"}); }), HasSubstr("\"loss\""));
}

}  // namespace
}  // namespace rlhf::report
