#include "rlhf/report/html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using namespace report;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

/// Empty if every element that is opened is closed, in order; else what is wrong.
std::string first_unbalanced_tag(std::string_view html) {
  const std::set<std::string_view> void_elements = {"meta", "!doctype"};
  std::vector<std::string_view> open;
  for (size_t at = 0; (at = html.find('<', at)) != html.npos; ++at) {
    const size_t end = html.find('>', at);
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" \n"));
    at = end;
    if (name.starts_with('/')) {
      if (open.empty() || open.back() != name.substr(1)) return std::string(tag);
      open.pop_back();
    } else if (name == "style" || name == "script") {
      at = html.find(name == "style" ? "</style" : "</script", end) - 1;
      open.push_back(name);
    } else if (!void_elements.contains(name) && !tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : std::string(open.back());
}

HtmlReport everything() {
  HtmlReport report("Title", "subtitle");
  report.key_figures({{.name = "truth", .value = percent(0.5), .note = "was 40 %"}})
      .section("One")
      .paragraph("text")
      .verbatim("a\n b")
      .table({.title = "table",
              .columns = {{"name"}, {"value"}},
              .rows = {{"a", 1.0}, {"b", std::monostate{}}},
              .highlighted_rows = {1},
              .note = "note"})
      .section("Two")
      .exchanges({.stages = {"before", "after"},
                  .rows = {{.question = "Where?",
                            .note = "here",
                            .replies = {{"there", Verdict::bad, "wrong"},
                                        {"here", Verdict::good, "right"}}}}})
      .shares({.title = "shares",
               .categories = {{"right", Verdict::good}, {"other"}},
               .rows = {{.name = "SFT", .values = {3, 1}, .group = "known"}},
               .note = "note"})
      .section("Three")
      .chart({.title = "chart",
              .x_label = "x",
              .y_label = "y",
              .curves = {{"a", {0, 1, 2}, {1, nan, 3}}, {"b", {0, 1}, {2, 1}, Draw::points}},
              .points = {{"here", 1, 2}},
              .note = "note"})
      .charts(
          {{.title = "small", .curves = {{"a", {1, 2}, {0.1, 10}}}, .y_scale = Scale::logarithmic},
           {.title = "empty"}});
  return report;
}

TEST(HtmlReportTest, ClosesEveryElement) {
  EXPECT_EQ(first_unbalanced_tag(everything().html()), "");
  EXPECT_EQ(first_unbalanced_tag("<p><b></p>"), "/p") << "the check itself";
}

TEST(HtmlReportTest, IsTheSameEveryTime) {
  EXPECT_EQ(everything().html(), everything().html());
}

TEST(HtmlReportTest, NeedsNoOtherFile) {
  const std::string html = everything().html();
  for (const char* reference : {"http:", "https:", "src=", "<link", "@import", "url(h"}) {
    EXPECT_THAT(html, Not(HasSubstr(reference)));
  }
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(HtmlReportTest, EscapesTextWhereverItStands) {
  const std::string evil = "</script><b a=\"'&\">";
  HtmlReport report(evil, evil);
  report.section(evil)
      .paragraph(evil)
      .verbatim(evil)
      .key_figures({{evil, evil, evil}})
      .table({.title = evil, .columns = {{evil}}, .rows = {{evil}}, .note = evil})
      .exchanges({.stages = {evil}, .rows = {{evil, evil, {{evil, Verdict::good, evil}}}}})
      .shares({.title = evil, .categories = {{evil}}, .rows = {{evil, {1}, evil}}, .note = evil})
      .chart({.title = evil,
              .x_label = evil,
              .y_label = evil,
              .curves = {{evil, {1}, {1}}, {evil, {1}, {1}}},
              .points = {{evil, 1, 1}},
              .note = evil});
  const std::string html = report.html();
  EXPECT_THAT(html, Not(HasSubstr("<b a=")));
  EXPECT_EQ(count(html, "</script>"), 2U) << "the chart's numbers and the page's script";
  EXPECT_EQ(first_unbalanced_tag(html), "");
}

TEST(HtmlReportTest, ShowsBytesThatAreNoTextAsReplacementCharacters) {
  const std::string html = HtmlReport("t").paragraph(std::string("a\xFF\xC3(\0z", 6)).html();
  EXPECT_THAT(html, HasSubstr("<p>a\uFFFD\uFFFD(\uFFFDz</p>"));
}

TEST(HtmlReportTest, ListsItsSectionsWhereThereAreThree) {
  EXPECT_THAT(everything().html(), HasSubstr("<a href=\"#s3\">Three</a>"));
  EXPECT_THAT(HtmlReport("t").section("One").section("Two").html(), Not(HasSubstr("<nav")));
}

class HtmlFile : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(HtmlFile, HoldsTheReport) {
  everything().write(folder_ / "report.html");
  EXPECT_EQ(io::read_file(folder_ / "report.html"), everything().html());
}

TEST(Numbers, AreWrittenForReaders) {
  EXPECT_EQ(number(1234567.891, 2), "1,234,567.89");
  EXPECT_EQ(number(-1234, 0), "-1,234");
  EXPECT_EQ(number(999, 0), "999");
  EXPECT_EQ(number(-100000, 1), "-100,000.0");
  EXPECT_EQ(number(-0.0001), "0.000");
  EXPECT_EQ(number(nan), "–");
  EXPECT_EQ(percent(0.1234), "12.3 %");
  EXPECT_EQ(percent(1, 0), "100 %");
  EXPECT_EQ(percent(nan), "–");
}

TEST(TableTest, FormatsItsCells) {
  const std::string html =
      HtmlReport("t")
          .table({.columns = {{"name"}, {"share", 1, Unit::percent}, {"loss", 2}, {"count"}},
                  .rows = {{"a", 0.5, nan, int64_t{4000}},
                           {"b", std::monostate{}, 1.005, int64_t{-1}}}})
          .html();
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">a</th><td class=\"numeric\">50.0 %</td>"
                              "<td class=\"numeric\">–</td><td class=\"numeric\">4,000</td>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"numeric\">–</td>"));
}

TEST(TableTest, NamesTheRowThatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                HtmlReport("t").table(
                    {.title = "T", .columns = {{"a"}, {"b"}}, .rows = {{"1", "2"}, {"1"}}});
              }),
              HasSubstr("Table \"T\": cells of row 1: expected 2, got 1"));
  EXPECT_THAT(
      error_of([] {
        HtmlReport("t").table({.title = "T", .columns = {}, .rows = {}, .highlighted_rows = {0}});
      }),
      HasSubstr("Table \"T\": highlighted row: expected < 0, got 0"));
}

TEST(ExchangesTest, NamesTheQuestionThatLacksAReply) {
  EXPECT_THAT(error_of([] {
                HtmlReport("t").exchanges(
                    {.stages = {"a", "b"}, .rows = {{.question = "Q", .replies = {{"x"}}}}});
              }),
              HasSubstr("replies to \"Q\": expected 2, got 1"));
}

TEST(SharesTest, AreSharesOfTheRowsSum) {
  const std::string html =
      HtmlReport("t")
          .shares({.categories = {{"right", Verdict::good}, {"wrong", Verdict::bad}, {"none"}},
                   .rows = {{.name = "SFT", .values = {30, 10, 0}}}})
          .html();
  EXPECT_THAT(html, HasSubstr("style=\"flex:0.7500 0 0\" title=\"right: 75.0 %\">75.0 %</span>"));
  EXPECT_THAT(html, HasSubstr("title=\"wrong: 25.0 %\""));
  EXPECT_THAT(html, Not(HasSubstr("title=\"none")));
}

TEST(SharesTest, NamesTheImpossibleRow) {
  const auto shares = [](std::vector<double> values) {
    HtmlReport("t").shares(
        {.title = "S", .categories = {{"a"}, {"b"}}, .rows = {{"r", std::move(values)}}});
  };
  EXPECT_THAT(error_of([&] { shares({1}); }),
              HasSubstr("Shares \"S\": values of row \"r\": expected 2, got 1"));
  EXPECT_THAT(error_of([&] { shares({1, -1}); }), HasSubstr("expected finite and >= 0, got -1"));
  EXPECT_THAT(error_of([&] { shares({1, nan}); }), HasSubstr("got nan"));
  EXPECT_THAT(error_of([&] { shares({0, 0}); }), HasSubstr("expected a positive sum, got 0"));
}

}  // namespace
}  // namespace rlhf
