// How a codec looks: the colour of its family, a dash where it is not the family's first, a marker of its own.
import { page, svg } from "./dom.js";

const MARKERS = [
  "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z", // circle
  "M-3.6-3.6H3.6V3.6H-3.6Z", // square
  "M0-4.6L4.5 3.4H-4.5Z", // triangle
  "M0-5L5 0L0 5L-5 0Z", // diamond
  "M0 4.6L4.5-3.4H-4.5Z", // triangle, pointing down
  "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z", // cross
  "M0-4.8L4.6-1.5L2.8 3.9H-2.8L-4.6-1.5Z", // pentagon
  "M-4.6 0L-2.3-4H2.3L4.6 0L2.3 4H-2.3Z", // hexagon
  "M0-5L1.5-1.5L5 0L1.5 1.5L0 5L-1.5 1.5L-5 0L-1.5-1.5Z", // star
];
const DASHES = [null, "7 4", "2 4", "10 4 2 4"];

export const codecs = new Map(page.codecs.map((codec) => [codec.name, codec]));

export const color = (codec) => `var(--family-${codec.family})`;
export const dash = (codec) => DASHES[codec.variant % DASHES.length];

export function marker(codec, attributes = {}) {
  const shape = MARKERS[codec.index % MARKERS.length];
  return svg("path", { d: shape, class: "marker", fill: color(codec), ...attributes });
}

/** A piece of line with the marker on it, as it stands in legends and tables. */
export function swatch(codec) {
  const line = { x1: -13, x2: 13, y1: 0, y2: 0, stroke: color(codec), "stroke-dasharray": dash(codec) };
  const box = { viewBox: "-14 -7 28 14", width: 28, height: 14, class: "swatch", "aria-hidden": "true" };
  return svg("svg", box, svg("line", { ...line, "stroke-width": codec.ours ? 2.5 : 1.5 }), marker(codec));
}

/** Put a swatch into every place that the page has left for one. */
export function fillSwatches() {
  for (const place of document.querySelectorAll("[data-swatch]")) {
    place.replaceChildren(swatch(codecs.get(place.dataset.swatch)));
  }
}
