// Pictures from the data blocks at the end of the page, decoded when they are first looked at.
import { html } from "./dom.js";

const parsed = new Promise((done) => {
  // The page runs while its last blocks still arrive; a block read too early would be cut off.
  if (document.readyState !== "loading") done();
  else document.addEventListener("DOMContentLoaded", done, { once: true });
});

const KEPT = 12; // decoded pictures in memory: about 1.5 MB each for Kodak
const cache = new Map();

async function decode(image, crop) {
  await parsed;
  const text = document.getElementById(`blob-${image.blob}`).textContent;
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: image.type }), { colorSpaceConversion: "none" });
  const canvas = html("canvas", { width: crop.width, height: crop.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  // A file that is embedded as the codec wrote it is whole, also where the page shows a crop.
  context.drawImage(bitmap, image.whole ? -crop.x : 0, image.whole ? -crop.y : 0);
  bitmap.close();
  return canvas;
}

/** A canvas with the picture; rejects where the browser cannot decode its format. */
export function load(image, crop) {
  const found = cache.get(image.blob) ?? decode(image, crop);
  cache.delete(image.blob);
  cache.set(image.blob, found);
  if (cache.size > KEPT) cache.delete(cache.keys().next().value);
  return found;
}

/** A canvas with |a − b| × gain in each channel, and the largest and the mean difference, in steps of 1/255. */
export function difference(a, b, gain) {
  const canvas = html("canvas", { width: a.width, height: a.height });
  const context = canvas.getContext("2d");
  const [x, y] = [a, b].map((one) => one.getContext("2d").getImageData(0, 0, a.width, a.height).data);
  const result = context.createImageData(a.width, a.height);
  let [most, sum] = [0, 0];
  for (let i = 0; i < x.length; i += 1) {
    if (i % 4 === 3) {
      result.data[i] = 255;
      continue;
    }
    const distance = Math.abs(x[i] - y[i]);
    result.data[i] = gain * distance;
    most = Math.max(most, distance);
    sum += distance;
  }
  context.putImageData(result, 0, 0);
  return { canvas, most, mean: sum / (0.75 * x.length) };
}
