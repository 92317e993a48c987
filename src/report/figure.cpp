#include "figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "axis.hpp"
#include "escape.hpp"
#include "html_assets.hpp"
#include "rlhf/report/html.hpp"

namespace rlhf::report {
namespace {

constexpr size_t most_points = 1000;

/// Sizes in the drawing's own unit, which is about a pixel.
struct Layout {
  double width, height, font;
  int x_ticks, y_ticks;
};
constexpr Layout large = {.width = 1000, .height = 360, .font = 13, .x_ticks = 9, .y_ticks = 6};
constexpr Layout small = {.width = 330, .height = 170, .font = 11, .x_ticks = 4, .y_ticks = 3};

struct Box {
  double left, top, right, bottom;
  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool is_inside(const Box& other) const {
    return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
  }
};

size_t character_count(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

/// The width of text in a proportional face, generously.
double text_width(std::string_view text, double font) {
  return 0.58 * font * static_cast<double>(character_count(text));
}

/// Keeps the lowest and the highest of each stretch, so that no spike is lost.
Curve thinned(const Curve& curve) {
  if (curve.x.size() <= most_points) return curve;
  Curve thin{.name = curve.name, .x = {}, .y = {}, .draw = curve.draw};
  const size_t stretches = most_points / 2, count = curve.x.size();
  for (size_t stretch = 0; stretch < stretches; ++stretch) {
    const size_t begin = stretch * count / stretches, end = (stretch + 1) * count / stretches;
    size_t low = begin, high = begin;
    for (size_t i = begin; i < end; ++i) {
      // Negated, so that a number replaces a NaN.
      if (!(curve.y[low] <= curve.y[i])) low = i;
      if (!(curve.y[high] >= curve.y[i])) high = i;
    }
    for (const size_t kept : {std::min(low, high), std::max(low, high)}) {
      thin.x.push_back(curve.x[kept]);
      thin.y.push_back(curve.y[kept]);
    }
  }
  return thin;
}

std::vector<double> values_of(const Chart& chart, std::vector<double> Curve::*side,
                              double MarkedPoint::*point_side) {
  std::vector<double> values;
  for (const Curve& curve : chart.curves) {
    values.insert(values.end(), (curve.*side).begin(), (curve.*side).end());
  }
  for (const MarkedPoint& point : chart.points) values.push_back(point.*point_side);
  return values;
}

bool has_scatter(const Chart& chart) {
  return std::any_of(chart.curves.begin(), chart.curves.end(),
                     [](const Curve& curve) { return curve.draw == Draw::points; });
}

/// Five significant digits: what a reader can use, and the file stays small.
std::string short_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.5g}", value) : "null";
}

Axis x_axis(const Chart& chart, const Layout& layout) {
  const std::vector<double> values = values_of(chart, &Curve::x, &MarkedPoint::x);
  const bool are_steps =
      std::all_of(values.begin(), values.end(), [](double x) { return x == std::trunc(x); });
  return {values,
          Scale::linear,
          chart.x_limits,
          has_scatter(chart) ? 0.03 : 0.0,
          {.count = layout.x_ticks, .least_distance = are_steps && !values.empty() ? 1.0 : 0.0}};
}

class Drawing {
 public:
  Drawing(const Chart& chart, const Layout& layout, int64_t id)
      : chart_(chart),
        layout_(layout),
        id_(id),
        x_(x_axis(chart, layout)),
        y_(values_of(chart, &Curve::y, &MarkedPoint::y), chart.y_scale, chart.y_limits, 0.06,
           {.count = layout.y_ticks}) {
    double widest = 0;
    for (const Tick& tick : y_.ticks()) {
      widest = std::max(widest, text_width(tick.label, layout.font));
    }
    const double font = layout.font;
    const double last_label =
        x_.ticks().empty() ? 0 : text_width(x_.ticks().back().label, font) / 2;
    plot_ = {.left = widest + font * (chart.y_label.empty() ? 0.8 : 2.4),
             .top = font * 0.7,
             .right = layout.width - std::max(font * 0.5, last_label),
             .bottom = layout.height - font * (chart.x_label.empty() ? 1.9 : 3.3)};
  }

  std::string svg() {
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 {:g} {:g}\" font-size=\"{:g}\" role=\"img\" aria-label=\"{}\">\n"
        "<clipPath id=\"clip{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"/></clipPath>\n",
        layout_.width, layout_.height, layout_.font, escaped(chart_.title), id_, plot_.left,
        plot_.top - 2, plot_.right - plot_.left, plot_.bottom - plot_.top + 4);
    std::string content;
    for (size_t i = 0; i < chart_.curves.size(); ++i) content += curve(i);
    content += points();
    if (shows_anything_) {
      out += grid() + labels() + "<line class=\"cursor\" hidden=\"\"/>\n" + content;
    } else {
      out += fmt::format("<text class=\"empty\" x=\"{:.1f}\" y=\"{:.1f}\">no values</text>\n",
                         (plot_.left + plot_.right) / 2, (plot_.top + plot_.bottom) / 2);
    }
    return out + "</svg>\n";
  }

  /// What the script needs to turn the pointer's place into values.
  std::string numbers() const {
    std::string out = fmt::format(
        "{{\"plot\":[{:.1f},{:.1f},{:.1f},{:.1f}],\"x\":[{},{}],\"y\":[{},{}],\"log\":{},"
        "\"nearest\":\"{}\",\"label\":{},\"curves\":[",
        plot_.left, plot_.top, plot_.right, plot_.bottom, x_.limits().low, x_.limits().high,
        y_.limits().low, y_.limits().high, chart_.y_scale == Scale::logarithmic,
        has_scatter(chart_) ? "xy" : "x",
        json_string(chart_.x_label.empty() ? "x" : chart_.x_label));
    for (const Curve& whole : chart_.curves) {
      const Curve curve = thinned(whole);
      std::string xs, ys;
      for (size_t i = 0; i < curve.x.size(); ++i) {
        if (!is_shown(curve, i)) continue;
        // Steps are integers and stay exact.
        const bool is_integer = curve.x[i] == std::trunc(curve.x[i]);
        xs +=
            fmt::format("{}{}", xs.empty() ? "" : ",",
                        is_integer ? fmt::format("{:.0f}", curve.x[i]) : short_number(curve.x[i]));
        ys += fmt::format("{}{}", ys.empty() ? "" : ",", short_number(curve.y[i]));
      }
      out += fmt::format("{}{{\"name\":{},\"x\":[{}],\"y\":[{}]}}", out.back() == '[' ? "" : ",",
                         json_string(curve.name), xs, ys);
    }
    return out + "]}";
  }

 private:
  double x_of(double value) const {
    return plot_.left + x_.place(value) * (plot_.right - plot_.left);
  }
  double y_of(double value) const {
    return plot_.bottom - y_.place(value) * (plot_.bottom - plot_.top);
  }
  bool is_shown(const Curve& curve, size_t i) const {
    return x_.can_show(curve.x[i]) && y_.can_show(curve.y[i]);
  }

  std::string grid() const {
    std::string out = "<g class=\"grid\">\n";
    for (const Tick& tick : y_.ticks()) {
      const double y = y_of(tick.value);
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}H{2:.1f}\"/><text x=\"{3:.1f}\" y=\"{1:.1f}\" dy=\".35em\" "
          "text-anchor=\"end\">{4}</text>\n",
          plot_.left, y, plot_.right, plot_.left - layout_.font * 0.5, tick.label);
    }
    for (const Tick& tick : x_.ticks()) {
      out += fmt::format(
          "<path class=\"tick\" d=\"M{0:.1f} {1:.1f}v4\"/><text x=\"{0:.1f}\" y=\"{2:.1f}\" "
          "text-anchor=\"middle\">{3}</text>\n",
          x_of(tick.value), plot_.bottom, plot_.bottom + layout_.font * 1.45, tick.label);
    }
    return out + fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/></g>\n", plot_.left,
                             plot_.bottom, plot_.right);
  }

  std::string labels() const {
    std::string out;
    if (!chart_.x_label.empty()) {
      out += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                         (plot_.left + plot_.right) / 2, layout_.height - layout_.font * 0.4,
                         escaped(chart_.x_label));
    }
    if (!chart_.y_label.empty()) {
      out += fmt::format(
          "<text class=\"label\" transform=\"translate({:.1f} {:.1f}) rotate(-90)\">{}</text>\n",
          layout_.font, (plot_.top + plot_.bottom) / 2, escaped(chart_.y_label));
    }
    return out;
  }

  std::string curve(size_t index) {
    const Curve curve = thinned(chart_.curves[index]);
    const std::string shape = curve.draw == Draw::line ? line(curve) : scatter(curve);
    shows_anything_ |= !shape.empty();
    return fmt::format(
        "<g class=\"curve c{} d{}\" data-curve=\"{}\" clip-path=\"url(#clip{})\">{}</g>\n",
        index % colour_count, index / colour_count % 3, index, id_, shape);
  }

  std::string line(const Curve& curve) const {
    std::string path;
    bool pen_is_down = false;
    for (size_t i = 0; i < curve.x.size(); ++i) {
      const bool shown = is_shown(curve, i);
      if (shown) {
        const bool next_shown = i + 1 < curve.x.size() && is_shown(curve, i + 1);
        const std::string place = fmt::format("{:.1f} {:.1f}", x_of(curve.x[i]), y_of(curve.y[i]));
        path += (pen_is_down ? "L" : "M") + place;
        // A lone point: a line of no length, which its round caps make a dot.
        if (!pen_is_down && !next_shown) path += "L" + place;
      }
      pen_is_down = shown;
    }
    return path.empty() ? "" : fmt::format("<path d=\"{}\"/>", path);
  }

  std::string scatter(const Curve& curve) const {
    std::string circles;
    for (size_t i = 0; i < curve.x.size(); ++i) {
      if (!is_shown(curve, i)) continue;
      circles += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:g}\"/>", x_of(curve.x[i]),
                             y_of(curve.y[i]), layout_.font * 0.27);
    }
    return circles;
  }

  /// Diamonds with their names; each name goes where no earlier one stands.
  std::string points() {
    std::string out;
    std::vector<Box> taken;
    for (const MarkedPoint& point : chart_.points) {
      if (!x_.can_show(point.x) || !y_.can_show(point.y)) continue;
      const double x = x_of(point.x), y = y_of(point.y), r = layout_.font * 0.45;
      taken.push_back({x - r, y - r, x + r, y + r});
    }
    for (const MarkedPoint& point : chart_.points) {
      if (!x_.can_show(point.x) || !y_.can_show(point.y)) continue;
      shows_anything_ = true;
      const double x = x_of(point.x), y = y_of(point.y), r = layout_.font * 0.45;
      const Box label = place_for(point.name, x, y, taken);
      taken.push_back(label);
      out += fmt::format(
          "<g class=\"point\"><title>{0}: {1}, {2}</title>"
          "<path d=\"M{3:.1f} {4:.1f}l{5:.1f} {5:.1f}l-{5:.1f} {5:.1f}l-{5:.1f} -{5:.1f}z\"/>"
          "<text x=\"{6:.1f}\" y=\"{7:.1f}\">{0}</text></g>\n",
          escaped(point.name), short_number(point.x), short_number(point.y), x, y - r, r,
          label.left, label.bottom - layout_.font * 0.25);
    }
    return out;
  }

  Box place_for(const std::string& name, double x, double y, const std::vector<Box>& taken) const {
    const double width = text_width(name, layout_.font), height = layout_.font * 1.2;
    const double gap = layout_.font * 0.8;
    const auto box = [&](double left, double middle) {
      return Box{left, middle - height / 2, left + width, middle + height / 2};
    };
    const std::array<Box, 6> candidates = {box(x + gap, y),
                                           box(x - gap - width, y),
                                           box(x + gap * 0.5, y - height),
                                           box(x + gap * 0.5, y + height),
                                           box(x - gap * 0.5 - width, y - height),
                                           box(x - gap * 0.5 - width, y + height)};
    for (const Box& candidate : candidates) {
      const bool is_free = std::none_of(
          taken.begin(), taken.end(), [&](const Box& other) { return candidate.overlaps(other); });
      if (is_free && candidate.is_inside({plot_.left, 0, layout_.width, plot_.bottom})) {
        return candidate;
      }
    }
    return candidates[x + gap + width <= layout_.width ? 0 : 1];
  }

  const Chart& chart_;
  const Layout& layout_;
  int64_t id_;
  Axis x_, y_;
  Box plot_ = {};
  bool shows_anything_ = false;
};

std::string readable(double value) {
  const double magnitude = std::abs(value);
  const bool is_long = magnitude >= 1000 && magnitude < 1e7;
  return is_long ? number(value, 0) : fmt::format("{:.4g}", value);
}

/// With one curve, its newest value stands beside the title.
std::string caption(const Chart& chart) {
  std::string newest;
  if (chart.curves.size() == 1 && chart.points.empty() && chart.curves[0].draw == Draw::line) {
    const std::vector<double>& y = chart.curves[0].y;
    if (!y.empty() && std::isfinite(y.back())) {
      newest = fmt::format("<span class=\"newest\">{}</span>", readable(y.back()));
    }
  }
  return fmt::format("<figcaption><span>{}</span>{}</figcaption>\n", escaped(chart.title), newest);
}

std::string legend(const Chart& chart) {
  if (chart.curves.size() < 2) return "";
  std::string out = "<p class=\"legend\">";
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    out += fmt::format("<button type=\"button\" class=\"c{} d{}\" data-curve=\"{}\">{}</button>",
                       i % colour_count, i / colour_count % 3, i, escaped(chart.curves[i].name));
  }
  return out + "</p>\n";
}

}  // namespace

std::string chart_figure(const Chart& chart, ChartSize size, int64_t id) {
  chart.validate();
  Drawing drawing(chart, size == ChartSize::large ? large : small, id);
  std::string out = "<figure class=\"chart\">\n" + caption(chart) + legend(chart);
  out += "<div class=\"plot\">" + drawing.svg() + "<div class=\"tip\" hidden></div></div>\n";
  out += "<script type=\"application/json\">" + drawing.numbers() + "</script>\n";
  if (!chart.note.empty()) out += "<p class=\"note\">" + escaped(chart.note) + "</p>\n";
  return out + "</figure>\n";
}

}  // namespace rlhf::report
