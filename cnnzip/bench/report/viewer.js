// The viewer: which picture, which two of its versions, and slider or difference map.
import { html, page, shownValue } from "./dom.js";
import { difference, load } from "./images.js";
import { codecs, swatch } from "./marks.js";
import { metric, onMetric } from "./metric.js";
import { Stage } from "./stage.js";

const GAIN = 8;
const ORIGINAL = "";
const SIDES = ["left", "right"];

const chosen = { left: page.start.left, right: page.start.right };
let picture = page.pictures[0];
let mapped = false;
let turn = 0; // a picture that arrives after another was chosen is dropped

const root = document.getElementById("viewer");
const controls = html("div", { class: "controls" });
const choices = html("div", { class: "choices", role: "group", "aria-label": "What to compare" });
const said = html("p", { class: "said muted", role: "status" });
const stage = new Stage((zoom) => press("[data-zoom]", (button) => button.dataset.zoom === String(zoom)));

const versions = () => [{ codec: ORIGINAL, ...picture.original }, ...picture.versions];
const version = (side) => versions().find((one) => one.codec === chosen[side]) ?? versions()[0];
const nameOf = (one) => codecs.get(one.codec)?.label ?? page.original.label;

function press(selector, on) {
  for (const button of root.querySelectorAll(selector)) button.setAttribute("aria-pressed", on(button));
}

async function show() {
  turn += 1;
  const mine = turn;
  const [left, right] = SIDES.map(version);
  const loaded = await Promise.allSettled([left, right].map((one) => load(one, picture.crop)));
  if (mine !== turn) return;
  const failed = loaded.findIndex((one) => one.status === "rejected");
  if (failed >= 0) {
    said.textContent = `This browser cannot decode ${[left, right][failed].type}.`;
    return;
  }
  const [a, b] = loaded.map((one) => one.value);
  const map = mapped ? difference(a, b, GAIN) : null;
  // One canvas cannot stand in two places.
  stage.show(a, a === b ? copy(a) : b, map?.canvas);
  stage.left.textContent = nameOf(left);
  stage.right.textContent = nameOf(right);
  said.textContent = map
    ? `|${nameOf(left)} − ${nameOf(right)}| × ${GAIN}: at most ${map.most}, on average ${map.mean.toFixed(2)} of 255.`
    : `${picture.name}, ${picture.width} × ${picture.height}${picture.note ? `; ${picture.note}` : ""}`;
}

function copy(canvas) {
  const twin = html("canvas", { width: canvas.width, height: canvas.height });
  twin.getContext("2d").drawImage(canvas, 0, 0);
  return twin;
}

function choice(one) {
  const original = one.codec === ORIGINAL;
  const sides = SIDES.map((side) =>
    html("button", {
      type: "button", class: `pick ${side}`, "aria-pressed": chosen[side] === one.codec,
      "aria-label": `${nameOf(one)} on the ${side}`, title: `${side} of the slider`,
      onclick: () => choose(side, one.codec),
    }, side === "left" ? "L" : "R"),
  );
  const mark = original ? html("span", { class: "swatch" }) : swatch(codecs.get(one.codec));
  return html(
    "div",
    { class: "choice", "data-codec": one.codec },
    ...sides,
    html("span", { class: "who" }, html("b", {}, mark, nameOf(one)), html("small", {}, original ? page.original.details : one.details)),
    html(
      "span", { class: "what" },
      original ? "" : shownValue(metric(), one.metrics[metric().name]),
      html("small", {}, original ? "" : one.note),
    ),
  );
}

function choose(side, codec) {
  const other = SIDES.find((one) => one !== side);
  if (chosen[other] === codec) chosen[other] = chosen[side]; // they change places
  chosen[side] = codec;
  list();
  show();
}

function list() {
  choices.replaceChildren(...versions().map(choice));
}

function open(index) {
  picture = page.pictures[index];
  for (const button of document.querySelectorAll("[data-picture]")) {
    button.setAttribute("aria-pressed", Number(button.dataset.picture) === index);
  }
  list();
  show();
}

function setMap(on) {
  mapped = on;
  press("[data-map]", (button) => (button.dataset.map === "true") === mapped);
  show();
}

function buildControls() {
  const button = (attributes, text, onclick) => html("button", { type: "button", ...attributes, onclick }, text);
  const group = (label, ...buttons) => html("div", { class: "picker", role: "group", "aria-label": label }, ...buttons);
  controls.append(
    group(
      "Slider or difference",
      button({ "data-map": false, "aria-pressed": true }, "Slider", () => setMap(false)),
      button({ "data-map": true, "aria-pressed": false }, `Difference ×${GAIN}`, () => setMap(true)),
    ),
    group(
      "Zoom",
      ...["fit", 1, 2, 4].map((zoom) =>
        button({ "data-zoom": zoom, "aria-pressed": zoom === "fit" }, zoom === "fit" ? "Fit" : `${zoom}×`, () => stage.zoomTo(zoom)),
      ),
    ),
  );
}

export function startViewer() {
  if (!picture) return;
  buildControls();
  root.append(
    html("div", { class: "frame" }, controls, stage.element, said),
    html("div", { class: "side" }, choices),
  );
  stage.element.addEventListener("keydown", (event) => {
    if (event.key === "d") setMap(!mapped);
  });
  for (const thumb of document.querySelectorAll("[data-picture]")) {
    thumb.addEventListener("click", () => open(Number(thumb.dataset.picture)));
  }
  onMetric(list);
  open(0);
}
