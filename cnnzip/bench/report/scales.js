// From values to places on the screen, and where the ticks stand.

const STEPS = [1, 2, 2.5, 5, 10];

/** Round values, about `count` of them, between low and high. */
export function niceTicks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((one) => one * power >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) ticks.push(k * step);
  return ticks;
}

/** 1, 2, 5 times powers of ten between low and high. */
function logTicks(low, high) {
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const one of [1, 2, 5]) if (one * power >= low && one * power <= high) ticks.push(one * power);
  }
  return ticks;
}

/** A function from [low, high] to [from, to], with its ticks; both ends are padded a little. */
export function scale(low, high, from, to, { log = false, count = 6 } = {}) {
  const forth = log ? Math.log : (x) => x;
  const back = log ? Math.exp : (x) => x;
  const pad = 0.04 * (forth(high) - forth(low)) || 0.5;
  const [a, b] = [forth(low) - pad, forth(high) + pad];
  const place = (value) => from + ((forth(value) - a) / (b - a)) * (to - from);
  place.ticks = log ? logTicks(back(a), back(b)) : niceTicks(back(a), back(b), count);
  return place;
}
