#include "rlhf/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "escape.hpp"
#include "figure.hpp"
#include "html_assets.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"

namespace rlhf {
namespace report {
namespace {

constexpr std::string_view no_value = "–";

/// "1234567.5" becomes "1,234,567.5".
std::string with_thousands(std::string digits) {
  const size_t first = digits.starts_with('-') ? 1 : 0;
  const size_t point = std::min(digits.find('.'), digits.size());
  for (size_t i = point; i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

bool is_numeric(const Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell);
}

/// A column stands on the right if it has a number and no text.
bool is_numeric(const Table& table, size_t column) {
  bool any = false;
  for (const auto& row : table.rows) {
    if (std::holds_alternative<std::string>(row[column])) return false;
    any |= is_numeric(row[column]);
  }
  return any;
}

std::string shown(const Cell& cell, const Column& column) {
  if (const auto* text = std::get_if<std::string>(&cell)) return escaped(*text);
  if (const auto* count = std::get_if<int64_t>(&cell))
    return with_thousands(std::to_string(*count));
  const auto* value = std::get_if<double>(&cell);
  if (value == nullptr) return std::string(no_value);
  return column.unit == Unit::percent ? percent(*value, column.digits)
                                      : number(*value, column.digits);
}

std::string title_line(const std::string& title) {
  return title.empty() ? "" : fmt::format("<p class=\"title\">{}</p>\n", escaped(title));
}

std::string note_line(const std::string& note) {
  return note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", escaped(note));
}

std::string_view class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::neutral:
      return "neutral";
    case Verdict::bad:
      return "bad";
    case Verdict::none:
      break;
  }
  return "none";
}

std::string reply_cell(const Reply& reply) {
  const std::string badge = reply.label.empty()
                                ? ""
                                : fmt::format("<span class=\"badge {}\">{}</span>",
                                              class_of(reply.verdict), escaped(reply.label));
  return fmt::format("<td><span class=\"reply\">{}</span>{}</td>", escaped(reply.text), badge);
}

std::string fill_class(const Shares& shares, size_t category) {
  const Verdict verdict = shares.categories[category].verdict;
  if (verdict != Verdict::none) return std::string(class_of(verdict));
  return fmt::format("c{}", category % colour_count);
}

std::string share_bar(const Shares& shares, const Shares::Row& row) {
  constexpr double narrowest_label = 0.06;
  const double sum = std::accumulate(row.values.begin(), row.values.end(), 0.0);
  std::string out = "<div class=\"bar\">";
  for (size_t i = 0; i < row.values.size(); ++i) {
    const double share = row.values[i] / sum;
    if (share == 0) continue;
    out += fmt::format("<span class=\"{}\" style=\"flex:{:.4f} 0 0\" title=\"{}: {}\">{}</span>",
                       fill_class(shares, i), share, escaped(shares.categories[i].name),
                       percent(share), share < narrowest_label ? "" : percent(share));
  }
  return out + "</div>";
}

}  // namespace

std::string number(double value, int digits) {
  if (std::isnan(value)) return std::string(no_value);
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  std::string text = fmt::format("{:.{}f}", value, digits);
  // No "-0.000".
  if (text.starts_with('-') && text.find_first_of("123456789") == text.npos) text.erase(0, 1);
  return with_thousands(std::move(text));
}

std::string percent(double share, int digits) {
  return std::isfinite(share) ? number(100 * share, digits) + " %" : number(share);
}

void Table::validate() const {
  for (size_t i = 0; i < rows.size(); ++i) {
    require(rows[i].size() == columns.size(),
            fmt::format("Table \"{}\": cells of row {}", title, i), columns.size(), rows[i].size());
  }
  for (const size_t row : highlighted_rows) {
    require(row < rows.size(), fmt::format("Table \"{}\": highlighted row", title),
            fmt::format("< {}", rows.size()), row);
  }
}

void Exchanges::validate() const {
  for (const Exchange& row : rows) {
    require(row.replies.size() == stages.size(),
            fmt::format("Exchanges: replies to \"{}\"", row.question), stages.size(),
            row.replies.size());
  }
}

void Shares::validate() const {
  for (const Row& row : rows) {
    const std::string what = fmt::format("Shares \"{}\": values of row \"{}\"", title, row.name);
    require(row.values.size() == categories.size(), what, categories.size(), row.values.size());
    double sum = 0;
    for (const double value : row.values) {
      require(std::isfinite(value) && value >= 0, what, "finite and >= 0", value);
      sum += value;
    }
    require(sum > 0, what, "a positive sum", sum);
  }
}

}  // namespace report

using namespace report;

HtmlReport::HtmlReport(std::string_view title, std::string_view subtitle)
    : title_(escaped(title)), subtitle_(escaped(subtitle)) {}

HtmlReport& HtmlReport::section(std::string_view heading) {
  headings_.push_back(escaped(heading));
  body_ += fmt::format("<h2 id=\"s{}\">{}</h2>\n", headings_.size(), headings_.back());
  return *this;
}

HtmlReport& HtmlReport::paragraph(std::string_view text) {
  body_ += fmt::format("<p>{}</p>\n", escaped(text));
  return *this;
}

HtmlReport& HtmlReport::verbatim(std::string_view text) {
  body_ += fmt::format("<pre>{}</pre>\n", escaped(text));
  return *this;
}

HtmlReport& HtmlReport::key_figures(const std::vector<KeyFigure>& figures) {
  body_ += "<dl class=\"figures\">\n";
  for (const KeyFigure& figure : figures) {
    body_ += fmt::format(
        "<div class=\"figure\"><dt>{}</dt><dd class=\"value\">{}</dd>"
        "<dd class=\"compare\">{}</dd></div>\n",
        escaped(figure.name), escaped(figure.value), escaped(figure.note));
  }
  body_ += "</dl>\n";
  return *this;
}

HtmlReport& HtmlReport::table(const Table& table) {
  table.validate();
  std::vector<std::string_view> classes;
  std::string head, rows;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    classes.push_back(is_numeric(table, i) ? " class=\"numeric\"" : "");
    head += fmt::format("<th scope=\"col\"{}>{}</th>", classes[i], escaped(table.columns[i].name));
  }
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const auto& marked = table.highlighted_rows;
    const bool is_highlighted = std::find(marked.begin(), marked.end(), r) != marked.end();
    rows += is_highlighted ? "<tr class=\"highlighted\">" : "<tr>";
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const bool is_heading = i == 0 && classes[i].empty();
      rows += fmt::format("<{0}{1}>{2}</{3}>", is_heading ? "th scope=\"row\"" : "td", classes[i],
                          shown(table.rows[r][i], table.columns[i]), is_heading ? "th" : "td");
    }
    rows += "</tr>\n";
  }
  body_ += fmt::format(
      "<div class=\"block\">\n{}<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n"
      "<tbody>\n{}</tbody>\n</table></div>\n{}</div>\n",
      title_line(table.title), head, rows, note_line(table.note));
  return *this;
}

HtmlReport& HtmlReport::exchanges(const Exchanges& exchanges) {
  exchanges.validate();
  body_ += "<div class=\"block scroll\"><table>\n<thead><tr><th scope=\"col\">Question</th>";
  for (const std::string& stage : exchanges.stages) {
    body_ += fmt::format("<th scope=\"col\">{}</th>", escaped(stage));
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (const Exchange& row : exchanges.rows) {
    const std::string hint =
        row.note.empty() ? "" : fmt::format("<span class=\"hint\">{}</span>", escaped(row.note));
    body_ += fmt::format("<tr><th scope=\"row\">{}{}</th>", escaped(row.question), hint);
    for (const Reply& reply : row.replies) body_ += reply_cell(reply);
    body_ += "</tr>\n";
  }
  body_ += "</tbody>\n</table></div>\n";
  return *this;
}

HtmlReport& HtmlReport::shares(const Shares& shares) {
  shares.validate();
  body_ += "<div class=\"block shares\">\n" + title_line(shares.title) + "<p class=\"legend\">";
  for (size_t i = 0; i < shares.categories.size(); ++i) {
    body_ += fmt::format("<span class=\"{}\">{}</span>", fill_class(shares, i),
                         escaped(shares.categories[i].name));
  }
  body_ += "</p>\n";
  std::string_view group;
  for (const Shares::Row& row : shares.rows) {
    if (row.group != group) {
      group = row.group;
      body_ += fmt::format("<p class=\"group\">{}</p>\n", escaped(group));
    }
    body_ += fmt::format("<div class=\"row\"><span>{}</span>{}</div>\n", escaped(row.name),
                         share_bar(shares, row));
  }
  body_ += note_line(shares.note) + "</div>\n";
  return *this;
}

HtmlReport& HtmlReport::chart(const Chart& chart) {
  body_ += chart_figure(chart, ChartSize::large, chart_count_++);
  return *this;
}

HtmlReport& HtmlReport::charts(const std::vector<Chart>& charts) {
  body_ += "<div class=\"charts\">\n";
  for (const Chart& chart : charts) body_ += chart_figure(chart, ChartSize::small, chart_count_++);
  body_ += "</div>\n";
  return *this;
}

std::string HtmlReport::html() const {
  constexpr size_t headings_worth_a_list = 3;
  std::string contents;
  for (size_t i = 0; i < headings_.size(); ++i) {
    contents += fmt::format("<a href=\"#s{}\">{}</a>\n", i + 1, headings_[i]);
  }
  // The policy forbids the page any network access, whatever text it holds.
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{}</h1>\n",
      title_, style_sheet, title_);
  if (!subtitle_.empty()) page += fmt::format("<p class=\"subtitle\">{}</p>\n", subtitle_);
  page += "</header>\n";
  if (headings_.size() >= headings_worth_a_list) {
    page += fmt::format("<nav aria-label=\"Contents\">\n{}</nav>\n", contents);
  }
  page += body_;
  return page + fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", script);
}

void HtmlReport::write(const std::filesystem::path& path) const {
  io::write_file_atomically(path, html());
}

}  // namespace rlhf
