// The curves, against the rate or what else the page's axis says. Straight lines between measured points: nothing is
// drawn that was not measured.
import { clamp, html, page, shownPlace, shownValue, svg } from "./dom.js";
import { color, codecs, dash, marker, swatch } from "./marks.js";
import { metric, onMetric } from "./metric.js";
import { scale } from "./scales.js";

const MARGIN = { top: 34, right: 16, bottom: 40, left: 46 };
const REACH = 60; // px: how near the pointer must be to a point

const hidden = new Set();
let logarithmic = page.axis.log;
let points = []; // what hovering can find: {codec, point, place, value, x, y}

const figure = document.getElementById("chart");
const legend = document.getElementById("legend");
const tip = html("div", { class: "tip", role: "status" });

const shownTick = (value) => String(Number(value.toPrecision(6)));

function axes(x, y, width, height) {
  const bottom = height - MARGIN.bottom;
  const grid = svg("g", { class: "axes" });
  for (const tick of x.ticks) {
    grid.append(
      svg("line", { x1: x(tick), x2: x(tick), y1: MARGIN.top, y2: bottom }),
      svg("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle" }, shownTick(tick)),
    );
  }
  for (const tick of y.ticks) {
    grid.append(
      svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" }, shownTick(tick)),
    );
  }
  const { label, unit, higher } = metric();
  const title = `${label}${unit ? `, ${unit}` : ""} — ${higher ? "higher" : "lower"} is better`;
  grid.append(
    svg("text", { x: 0, y: 14, class: "title" }, title),
    svg("text", { x: width - MARGIN.right, y: height - 4, "text-anchor": "end", class: "title" }, page.axis.label),
  );
  return grid;
}

function curve(codec, places) {
  const d = places.map((p, i) => `${i ? "L" : "M"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("");
  const width = codec.ours ? 3 : 1.6;
  const line = svg("path", { d, fill: "none", stroke: color(codec), "stroke-width": width, "stroke-dasharray": dash(codec) });
  const size = codec.ours ? 1.15 : 0.85;
  const marks = places.map((p) => marker(codec, { transform: `translate(${p.x} ${p.y}) scale(${size})` }));
  return svg("g", { class: "curve", "data-codec": codec.name }, line, ...marks);
}

function draw() {
  tip.hidden = true;
  points = [];
  const curves = page.curves[metric().name];
  // Hidden codecs leave the axes: what remains is shown as large as it can be.
  const shown = page.codecs.filter((codec) => curves[codec.name]?.length && !hidden.has(codec.name));
  const all = shown.flatMap((codec) => curves[codec.name]);
  if (!all.length) {
    figure.replaceChildren(html("p", { class: "note" }, "No curve to show for this choice."));
    return;
  }
  const width = Math.max(figure.clientWidth, 280);
  const height = Math.round(clamp(width * 0.62, 300, 520));
  const [places, values] = [all.map((p) => p[1]), all.map((p) => p[2])];
  const range = (list) => [Math.min(...list), Math.max(...list)];
  const count = width < 500 ? 4 : 7;
  const x = scale(...range(places), MARGIN.left, width - MARGIN.right, { log: logarithmic, count });
  const y = scale(...range(values), height - MARGIN.bottom, MARGIN.top, { count: 6 });

  const lines = [];
  // cnnzip comes last, so that it lies on top.
  for (const codec of shown.sort((a, b) => a.ours - b.ours)) {
    const marks = curves[codec.name].map(([point, place, value]) => ({ codec, point, place, value, x: x(place), y: y(value) }));
    points.push(...marks);
    lines.push(curve(codec, marks));
  }
  const label = `${metric().label} against ${page.axis.label}, ${shown.length} lines`;
  const box = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label };
  figure.replaceChildren(svg("svg", box, axes(x, y, width, height), ...lines, svg("g", { class: "focus" })), tip);
}

function point(event) {
  const box = figure.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  let nearest = null;
  let least = REACH;
  for (const p of points) {
    const distance = Math.hypot(p.x - x, p.y - y);
    if (distance < least) [nearest, least] = [p, distance];
  }
  focusOn(nearest);
}

function focusOn(p) {
  tip.hidden = !p;
  figure.classList.toggle("focused", Boolean(p));
  for (const line of figure.querySelectorAll(".curve")) line.classList.toggle("on", line.dataset.codec === p?.codec.name);
  const layer = figure.querySelector(".focus");
  if (!layer) return;
  layer.replaceChildren();
  if (!p) return;
  layer.append(svg("circle", { cx: p.x, cy: p.y, r: 9, stroke: color(p.codec) }));
  tip.replaceChildren(
    html("strong", {}, swatch(p.codec), p.codec.label),
    html("span", {}, shownValue(metric(), p.value)),
    html("span", {}, shownPlace(p.place)),
    page.axis.point ? html("span", { class: "muted" }, `${page.axis.point} ${p.point}`) : "",
  );
  const right = p.x < figure.clientWidth / 2;
  tip.style.left = right ? `${p.x + 16}px` : "";
  tip.style.right = right ? "" : `${figure.clientWidth - p.x + 16}px`;
  tip.style.top = `${Math.max(p.y - 44, 0)}px`;
}

function highlight(name) {
  figure.classList.toggle("focused", Boolean(name) && !hidden.has(name));
  for (const line of figure.querySelectorAll(".curve")) line.classList.toggle("on", line.dataset.codec === name);
}

function toggle(name) {
  if (!hidden.delete(name)) hidden.add(name);
  showLegend();
  draw();
}

/** Show this one alone; where it is alone already, all again. */
function isolate(name) {
  const alone = !hidden.has(name) && hidden.size === codecs.size - 1;
  hidden.clear();
  if (!alone) for (const other of codecs.keys()) if (other !== name) hidden.add(other);
  showLegend();
  draw();
}

function showLegend() {
  for (const row of legend.children) {
    row.firstChild.setAttribute("aria-pressed", !hidden.has(row.dataset.codec));
  }
}

export function startChart() {
  for (const codec of page.codecs) {
    const { name, label } = codec;
    legend.append(
      html(
        "li",
        { "data-codec": name, onpointerenter: () => highlight(name), onpointerleave: () => highlight(null) },
        html("button", { type: "button", class: codec.ours ? "ours" : "", onclick: () => toggle(name) }, swatch(codec), label),
        html("button", { type: "button", class: "only", "aria-label": `Only ${label}`, onclick: () => isolate(name) }, "only"),
      ),
    );
  }
  showLegend();
  for (const button of document.querySelectorAll("[data-axis]")) {
    button.addEventListener("click", () => {
      logarithmic = button.dataset.axis === "log";
      for (const other of document.querySelectorAll("[data-axis]")) other.setAttribute("aria-pressed", other === button);
      draw();
    });
  }
  figure.addEventListener("pointermove", point);
  figure.addEventListener("pointerdown", point);
  figure.addEventListener("pointerleave", () => focusOn(null));
  onMetric(draw);
  let width = figure.clientWidth;
  new ResizeObserver(() => {
    // Drawing changes the height; only another width asks for another drawing.
    if (figure.clientWidth !== width) draw();
    width = figure.clientWidth;
  }).observe(figure);
}
