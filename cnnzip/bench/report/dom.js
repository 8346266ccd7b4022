// Making elements. Text is always set as text, never as markup, so that no file name can become code.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const page = JSON.parse(document.getElementById("data").textContent);

/** A place on the horizontal axis, with its unit. */
export const shownPlace = (place) => `${place.toFixed(page.axis.digits)} ${page.axis.unit}`;

/** The value of a metric with its unit; null stands for infinity: nothing was lost. */
export function shownValue(metric, value) {
  if (value === undefined) return "–";
  if (value === null) return "∞";
  return `${value.toFixed(metric.digits)}${metric.unit ? ` ${metric.unit}` : ""}`;
}
