// The stage: two pictures one over the other, a slider between them, zoom and pan. It knows nothing of codecs.
import { clamp, html } from "./dom.js";

const STEP = 0.02;
const WIDE_STEP = 0.1;
const PAN_STEP = 48; // px
const ZOOMS = ["fit", 1, 2, 4];
const LARGEST_FIT = 3; // small pictures are not blown up beyond it

export class Stage {
  constructor(onZoom) {
    this.onZoom = onZoom;
    this.zoom = "fit";
    this.slider = 0.5;
    this.middle = { x: 0.5, y: 0.5 }; // the place of the picture that is in the middle of the stage
    this.size = { width: 3, height: 2 };
    this.under = html("div", { class: "layer under" });
    this.over = html("div", { class: "layer over" });
    this.map = html("div", { class: "layer map", hidden: "" });
    this.handle = html("div", { class: "handle" }, html("span", { "aria-hidden": "true" }, "‹ ›"));
    this.left = html("span", { class: "tag left" });
    this.right = html("span", { class: "tag right" });
    this.element = html(
      "div",
      {
        class: "stage", tabindex: 0, role: "slider", "aria-label": "Divide between the left and the right picture",
        "aria-valuemin": 0, "aria-valuemax": 100,
        onpointerdown: (event) => this.#press(event), onwheel: (event) => this.#wheel(event),
        onkeydown: (event) => this.#key(event),
      },
      this.under, this.over, this.map, this.handle, this.left, this.right,
    );
    new ResizeObserver(() => this.place()).observe(this.element);
  }

  /** Show canvases of one size: left of the slider, right of it, and the difference map, or null for the slider. */
  show(left, right, map) {
    this.over.replaceChildren(left);
    this.under.replaceChildren(right);
    this.map.replaceChildren(...(map ? [map] : []));
    this.map.hidden = !map;
    this.handle.hidden = this.left.hidden = this.right.hidden = Boolean(map);
    this.size = { width: left.width, height: left.height };
    this.place();
  }

  get scale() {
    const { clientWidth, clientHeight } = this.element;
    const fit = Math.min(clientWidth / this.size.width, clientHeight / this.size.height, LARGEST_FIT);
    return this.zoom === "fit" ? fit : this.zoom;
  }

  /** Put everything where slider, zoom and pan say. */
  place() {
    const { width, height } = this.size;
    this.element.style.aspectRatio = `${width} / ${height}`;
    const [w, h, s] = [this.element.clientWidth, this.element.clientHeight, this.scale];
    const along = (middle, length, space) =>
      length <= space ? (space - length) / 2 : clamp(space / 2 - middle * length, space - length, 0);
    const [x, y] = [along(this.middle.x, width * s, w), along(this.middle.y, height * s, h)];
    // Clamped above, so that a pan beyond the edge need not be undone before the other way is felt.
    if (width * s > w) this.middle.x = (w / 2 - x) / (width * s);
    if (height * s > h) this.middle.y = (h / 2 - y) / (height * s);
    this.movable = width * s > w + 1 || height * s > h + 1;

    for (const layer of [this.under, this.over, this.map]) {
      for (const canvas of layer.children) {
        canvas.style.transform = `translate(${x}px, ${y}px) scale(${s})`;
        canvas.style.imageRendering = s > 1 && this.zoom !== "fit" ? "pixelated" : "auto";
      }
    }
    this.over.style.clipPath = `inset(0 ${100 * (1 - this.slider)}% 0 0)`;
    this.handle.style.left = `${100 * this.slider}%`;
    this.element.setAttribute("aria-valuenow", Math.round(100 * this.slider));
    this.element.classList.toggle("movable", this.movable);
  }

  slide(to) {
    this.slider = clamp(to, 0, 1);
    this.place();
  }

  /** Zoom so that the place under (x, y), px from the stage's middle, stays where it is. */
  zoomTo(zoom, x = 0, y = 0) {
    const before = this.scale;
    this.zoom = zoom;
    const after = this.scale;
    this.middle.x += (x / this.size.width) * (1 / before - 1 / after);
    this.middle.y += (y / this.size.height) * (1 / before - 1 / after);
    if (zoom === "fit") this.middle = { x: 0.5, y: 0.5 };
    this.place();
    this.onZoom(zoom);
  }

  /** The next larger (1) or smaller (-1) zoom. */
  zoomBy(direction, x, y) {
    const at = this.scale;
    const fixed = ZOOMS.slice(1);
    const next = direction > 0 ? fixed.find((zoom) => zoom > at * 1.01) : fixed.findLast((zoom) => zoom < at * 0.99);
    if (next) this.zoomTo(next, x, y);
    else if (direction < 0) this.zoomTo("fit");
  }

  panBy(x, y) {
    this.middle.x -= x / (this.size.width * this.scale);
    this.middle.y -= y / (this.size.height * this.scale);
    this.place();
  }

  #press(event) {
    if (event.button !== 0) return;
    const box = this.element.getBoundingClientRect();
    const sliding = !this.handle.hidden && (this.handle.contains(event.target) || !this.movable);
    let last = event;
    const move = (now) => {
      if (sliding) this.slide((now.clientX - box.left) / box.width);
      else this.panBy(now.clientX - last.clientX, now.clientY - last.clientY);
      last = now;
    };
    const stop = new AbortController();
    const { signal } = stop;
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move, { signal });
    this.element.addEventListener("pointerup", () => stop.abort(), { signal });
    this.element.addEventListener("pointercancel", () => stop.abort(), { signal });
    if (sliding) move(event);
  }

  #wheel(event) {
    // Who scrolls the page past the stage does not mean to zoom; who has clicked it, or holds Ctrl, does.
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.element) return;
    event.preventDefault();
    const now = performance.now();
    if (now - (this.wheeled ?? 0) < 120) return;
    this.wheeled = now;
    const box = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    this.zoomBy(event.deltaY < 0 ? 1 : -1, x, y);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const pan = (x, y) => (this.movable ? this.panBy(x, y) : undefined);
    const keys = {
      ArrowLeft: () => (event.shiftKey ? pan(PAN_STEP, 0) : this.slide(this.slider - STEP)),
      ArrowRight: () => (event.shiftKey ? pan(-PAN_STEP, 0) : this.slide(this.slider + STEP)),
      ArrowUp: () => (event.shiftKey ? pan(0, PAN_STEP) : this.slide(this.slider + STEP)),
      ArrowDown: () => (event.shiftKey ? pan(0, -PAN_STEP) : this.slide(this.slider - STEP)),
      PageUp: () => this.slide(this.slider + WIDE_STEP),
      PageDown: () => this.slide(this.slider - WIDE_STEP),
      Home: () => this.slide(0),
      End: () => this.slide(1),
      "+": () => this.zoomBy(1),
      "=": () => this.zoomBy(1),
      "-": () => this.zoomBy(-1),
      0: () => this.zoomTo("fit"),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }
}
