/// Reports as one HTML file: no network, no other file, fit for light, dark and paper.
///
///   HtmlReport report("Honesty", "seed 1");
///   report.section("Answers").exchanges({.stages = {"SFT", "PPO"}, .rows = rows});
///   report.section("Metrics").charts(report::charts_of(history));
///   report.write("report.html");
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rlhf/report/chart.hpp"

namespace rlhf::report {

/// 1234567.891 with 2 digits: "1,234,567.89"; not a number: "–".
std::string number(double value, int digits = 3);
/// .1234 with 1 digit: "12.3 %".
std::string percent(double share, int digits = 1);

/// A headline number.
struct KeyFigure {
  std::string name = "";
  std::string value = "";  ///< as shown; see number() and percent()
  std::string note = "";   ///< what it is to be compared with
};

enum class Unit : uint8_t { number, percent };

struct Column {
  std::string name = "";
  int digits = 3;  ///< after the point, of cells that are double
  Unit unit = Unit::number;
};

/// std::monostate is an empty cell. Numbers stand on the right.
using Cell = std::variant<std::monostate, std::string, int64_t, double>;

struct Table {
  std::string title = "";
  std::vector<Column> columns = {};
  std::vector<std::vector<Cell>> rows = {};
  std::vector<size_t> highlighted_rows = {};
  std::string note = "";

  /// @throws Error naming the row that has not one cell a column, or a highlighted row there is not
  void validate() const;
};

/// Gives a colour: green, amber, red.
enum class Verdict : uint8_t { none, good, neutral, bad };

/// What a model said, and what to think of it.
struct Reply {
  std::string text = "";
  Verdict verdict = Verdict::none;
  std::string label = "";  ///< for instance "right"
};

/// One question and what was said to it at each stage.
struct Exchange {
  std::string question = "";
  std::string note = "";  ///< for instance the right answer
  std::vector<Reply> replies = {};
};

struct Exchanges {
  std::vector<std::string> stages = {};  ///< for instance {"before", "after"}
  std::vector<Exchange> rows = {};

  /// @throws Error naming the question that has not one reply a stage
  void validate() const;
};

/// How a whole splits into categories, a bar a row.
struct Shares {
  struct Category {
    std::string name = "";
    Verdict verdict = Verdict::none;
  };
  struct Row {
    std::string name = "";
    std::vector<double> values = {};  ///< one a category, each >= 0; shown as shares of their sum
    std::string group = "";           ///< a heading above the first row of each group
  };
  std::string title = "";
  std::vector<Category> categories = {};
  std::vector<Row> rows = {};
  std::string note = "";

  /// @throws Error naming the row that has not one value a category, or an impossible one
  void validate() const;
};

}  // namespace rlhf::report

namespace rlhf {

/// Built from top to bottom; every call returns the report. The same calls give the same bytes. All
/// text is escaped; bytes that are not UTF-8, which sampled text may hold, become U+FFFD.
class HtmlReport {
 public:
  explicit HtmlReport(std::string_view title, std::string_view subtitle = "");

  HtmlReport& section(std::string_view heading);
  HtmlReport& paragraph(std::string_view text);
  /// Text with its own line breaks, in a fixed-width face: commands, samples.
  HtmlReport& verbatim(std::string_view text);
  HtmlReport& key_figures(const std::vector<report::KeyFigure>& figures);
  HtmlReport& table(const report::Table& table);
  HtmlReport& exchanges(const report::Exchanges& exchanges);
  HtmlReport& shares(const report::Shares& shares);
  /// One chart as wide as the page.
  HtmlReport& chart(const report::Chart& chart);
  /// Small charts side by side.
  HtmlReport& charts(const std::vector<report::Chart>& charts);

  std::string html() const;
  /// Writes atomically. @throws Error as io::write_file_atomically
  void write(const std::filesystem::path& path) const;

 private:
  std::string title_, subtitle_, body_;
  std::vector<std::string> headings_;
  int64_t chart_count_ = 0;
};

}  // namespace rlhf
