// The chosen metric: one choice for the whole page. Whatever belongs to another metric is hidden.
import { page } from "./dom.js";

const listeners = [];
let chosen = page.metrics[0];

export const metric = () => chosen;
export const onMetric = (listener) => listeners.push(listener);

function choose(name) {
  chosen = page.metrics.find((one) => one.name === name);
  for (const button of document.querySelectorAll("[data-choose-metric]")) {
    button.setAttribute("aria-pressed", button.dataset.chooseMetric === name);
  }
  for (const part of document.querySelectorAll("[data-metric]")) part.hidden = part.dataset.metric !== name;
  for (const listener of listeners) listener(chosen);
}

export function startMetric() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose-metric]");
    if (button) choose(button.dataset.chooseMetric);
  });
  if (chosen) choose(chosen.name);
}
