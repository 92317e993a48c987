#include "html_assets.hpp"

namespace rlhf::report {

// The curves' colours are those of Okabe and Ito (2008), which colour-blind readers tell apart,
// lightened for dark pages.
const std::string_view style_sheet = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5c6778; --line: #e1e5eb;
  --accent: #0b5cad; --mark: #eef4fb;
  --good: #0f7b4f; --good-fill: #2f9e73; --good-back: #e3f4ec;
  --neutral: #8a5a00; --neutral-fill: #e3b34c; --neutral-back: #fbf1dc;
  --bad: #b3361b; --bad-fill: #d5603f; --bad-back: #fbe7e1;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b8659a; --c4: #d18f00; --c5: #3a9bd6;
  --c6: #55606f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #98a4b5; --line: #2c3542;
    --accent: #6cb2f2; --mark: #1f2b3a;
    --good: #6fd3a8; --good-fill: #2f9e73; --good-back: #17362a;
    --neutral: #ecc36b; --neutral-fill: #c79533; --neutral-back: #392d14;
    --bad: #f19c83; --bad-fill: #c9573a; --bad-back: #43211a;
    --c0: #56aee8; --c1: #f08a3c; --c2: #3cc79b; --c3: #dd94c3; --c4: #f0b93a; --c5: #8fd0f5;
    --c6: #a9b4c2;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    "Noto Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 48px 24px 72px; }
header { margin-bottom: 28px; }
h1 { font-size: 32px; line-height: 1.2; letter-spacing: -.015em; margin: 0; }
.subtitle { color: var(--soft); margin: 8px 0 0; max-width: none; }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 12px 0; margin-bottom: 28px;
  border-block: 1px solid var(--line); font-size: 14px; }
nav a { color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; }
h2 { font-size: 21px; line-height: 1.3; letter-spacing: -.01em; margin: 48px 0 14px; }
p { max-width: 72ch; margin: 0 0 14px; }
.note { color: var(--soft); font-size: 13.5px; margin: 10px 0 0; }
pre, .chart, .scroll, .shares, .figure {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
pre { padding: 14px 18px; margin: 0 0 16px; font: 13.5px/1.6 ui-monospace, "SF Mono", Menlo,
  Consolas, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.block { margin: 0 0 20px; }
.title { font-weight: 600; font-size: 15px; margin: 0 0 8px; max-width: none; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 14px;
  margin: 0 0 20px; }
.figure { padding: 16px 18px; display: flex; flex-direction: column; }
.figure dt { color: var(--soft); font-size: 13.5px; line-height: 1.4; flex: 1; }
.figure dd { margin: 0; }
.figure .value { font-size: 28px; line-height: 1.3; font-weight: 650; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
.figure .compare { color: var(--soft); font-size: 13.5px; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; }
th, td { padding: 9px 16px; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 500; }
.numeric { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.highlighted > * { background: var(--mark); font-weight: 600; }
.hint { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
.reply { white-space: pre-wrap; overflow-wrap: anywhere; margin-right: 8px; }
.badge { display: inline-block; padding: 1px 8px; border-radius: 99px;
  font-size: 12px; font-weight: 600; white-space: nowrap; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.neutral { color: var(--neutral); background: var(--neutral-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.none { color: var(--soft); background: var(--page); }

.shares { padding: 16px 18px; }
.shares .row { display: grid; grid-template-columns: minmax(80px, 15%) 1fr; gap: 4px 16px;
  align-items: center; margin: 6px 0; font-size: 14px; }
.shares .group { font-weight: 600; font-size: 13px; color: var(--soft); margin: 14px 0 4px; }
.bar { display: flex; gap: 2px; height: 26px; border-radius: 5px; overflow: hidden;
  background: var(--line); }
.bar span { min-width: 0; overflow: hidden; color: #fff; font-size: 12.5px; font-weight: 600;
  line-height: 26px; text-align: center; white-space: nowrap; background: var(--fill); }
.bar .neutral { color: #221900; }
.good { --fill: var(--good-fill); } .neutral { --fill: var(--neutral-fill); }
.bad { --fill: var(--bad-fill); }
.c0 { --fill: var(--c0); } .c1 { --fill: var(--c1); } .c2 { --fill: var(--c2); }
.c3 { --fill: var(--c3); } .c4 { --fill: var(--c4); } .c5 { --fill: var(--c5); }
.c6 { --fill: var(--c6); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 6px; font-size: 13px;
  max-width: none; color: var(--soft); }
.legend > * { display: inline-flex; align-items: center; gap: 7px; padding: 2px 0; border: 0;
  background: none; color: inherit; font: inherit; }
.legend > *::before { content: ""; width: 14px; height: 10px; border-radius: 2px;
  background: var(--fill); }
.legend button { cursor: pointer; }
.legend button::before { height: 3px; }
.legend button.d1::before { background: repeating-linear-gradient(90deg, var(--fill) 0 5px,
  transparent 5px 8px); }
.legend button.d2::before { background: repeating-linear-gradient(90deg, var(--fill) 0 2px,
  transparent 2px 5px); }
.legend button.off { opacity: .45; text-decoration: line-through; }

.chart { margin: 0 0 20px; padding: 14px 16px 10px; }
.chart figcaption { display: flex; justify-content: space-between; gap: 12px; font-weight: 600;
  font-size: 15px; margin-bottom: 6px; }
.chart .newest { color: var(--soft); font-weight: 500; white-space: nowrap; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px;
  margin: 0 0 20px; }
.charts .chart { margin: 0; padding: 12px 12px 6px; }
.charts figcaption { font-size: 13.5px; overflow-wrap: anywhere; }
.plot { position: relative; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid path { stroke: var(--line); }
.grid .axis, .grid .tick { stroke: var(--soft); opacity: .6; }
.label, .empty { text-anchor: middle; }
.curve path { fill: none; stroke: var(--fill); stroke-width: 1.8; stroke-linejoin: round;
  stroke-linecap: round; }
.curve.d1 path { stroke-dasharray: 7 4; } .curve.d2 path { stroke-dasharray: 2 4; }
.curve circle { fill: var(--fill); opacity: .65; }
.curve.off { display: none; }
.point path { fill: var(--ink); stroke: var(--card); stroke-width: 1.5; }
.point text { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card);
  stroke-width: 3.5px; stroke-linejoin: round; }
.cursor { stroke: var(--soft); stroke-dasharray: 3 3; }
.dot { fill: var(--fill); stroke: var(--card); stroke-width: 1.5; pointer-events: none; }
.tip { position: absolute; pointer-events: none; z-index: 1; padding: 6px 10px; border-radius: 7px;
  background: var(--ink); color: var(--card); font-size: 12.5px; line-height: 1.45;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
.tip div { display: flex; align-items: center; gap: 7px; }
.tip i { width: 9px; height: 9px; border-radius: 2px; background: var(--fill); }
.tip b { margin-left: auto; padding-left: 10px; }

@media (max-width: 620px) {
  main { padding: 28px 14px 48px; }
  .shares .row { grid-template-columns: 1fr; }
}
@page { margin: 14mm; }
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #d5d9df; --accent: #000;
    --mark: #eef2f7;
    --good: #0f7b4f; --good-back: #e3f4ec; --neutral: #8a5a00; --neutral-back: #fbf1dc;
    --bad: #b3361b; --bad-back: #fbe7e1;
    --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b8659a; --c4: #d18f00; --c5: #3a9bd6;
    --c6: #55606f;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  nav, .tip, .cursor, .dot { display: none; }
  h2 { break-after: avoid; }
  .block, .chart, .figure, tr { break-inside: avoid; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  .charts figcaption { font-size: 8.5pt; }
}
)css";

const std::string_view script = R"js(
"use strict";
for (const figure of document.querySelectorAll("figure.chart")) {
  const numbers = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector("svg"), tip = figure.querySelector(".tip");
  const cursor = svg.querySelector(".cursor"), box = svg.viewBox.baseVal;
  if (cursor === null) continue;  // no values
  const [left, top, right, bottom] = numbers.plot;
  const even = value => numbers.log ? Math.log10(value) : value;
  const xOf = x => left + (x - numbers.x[0]) / (numbers.x[1] - numbers.x[0]) * (right - left);
  const yOf = y => bottom - (even(y) - even(numbers.y[0])) /
      (even(numbers.y[1]) - even(numbers.y[0])) * (bottom - top);
  const hidden = new Set();
  const shown = value => String(Number(value.toPrecision(5)));

  const nearest = (px, py) => {
    let best = null, least = Infinity;
    numbers.curves.forEach((curve, c) => {
      if (hidden.has(c)) return;
      curve.x.forEach((x, i) => {
        const dx = xOf(x) - px, dy = numbers.nearest === "xy" ? yOf(curve.y[i]) - py : 0;
        const distance = dx * dx + dy * dy;
        if (distance < least) { least = distance; best = {c, i, x}; }
      });
    });
    return best;
  };
  const line = (c, text, value) => {
    const row = document.createElement("div"), name = document.createElement("span");
    if (c !== null) {
      const swatch = document.createElement("i");
      swatch.className = "c" + c % 7;
      row.append(swatch);
    }
    name.textContent = text;
    const number = document.createElement("b");
    number.textContent = value;
    row.append(name, number);
    return row;
  };
  const dots = [];
  const dot = (c, x, y) => {
    const circle = document.createElementNS(svg.namespaceURI, "circle");
    circle.setAttribute("class", "dot c" + c % 7);
    for (const [name, value] of [["cx", x], ["cy", y], ["r", 4]]) circle.setAttribute(name, value);
    svg.append(circle);
    dots.push(circle);
  };
  const leave = () => {
    tip.hidden = true;
    cursor.setAttribute("hidden", "");
    while (dots.length > 0) dots.pop().remove();
  };
  const move = event => {
    const frame = svg.getBoundingClientRect(), scale = box.width / frame.width;
    const px = (event.clientX - frame.left) * scale, py = (event.clientY - frame.top) * scale;
    const at = nearest(px, py);
    if (at === null || px < left - 12 || px > right + 12) return leave();
    leave();
    const x = xOf(at.x);
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", top], ["y2", bottom]]) {
      cursor.setAttribute(name, value);
    }
    cursor.removeAttribute("hidden");
    tip.replaceChildren(line(null, numbers.label, shown(at.x)));
    numbers.curves.forEach((curve, c) => {
      if (hidden.has(c) || (numbers.nearest === "xy" && c !== at.c)) return;
      const i = c === at.c ? at.i : curve.x.indexOf(at.x);
      if (i < 0) return;
      tip.append(line(c, curve.name, shown(curve.y[i])));
      dot(c, x, yOf(curve.y[i]));
    });
    tip.hidden = false;
    const place = x / scale, room = frame.width - place;
    tip.style.left = room > tip.offsetWidth + 16 ? place + 12 + "px"
                                                 : place - tip.offsetWidth - 12 + "px";
    tip.style.top = Math.max(0, py / scale - tip.offsetHeight - 10) + "px";
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", leave);
  for (const button of figure.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const c = Number(button.dataset.curve);
      const off = button.classList.toggle("off");
      off ? hidden.add(c) : hidden.delete(c);
      svg.querySelector(`[data-curve="${c}"]`).classList.toggle("off", off);
      leave();
    });
  }
}
)js";

}  // namespace rlhf::report
