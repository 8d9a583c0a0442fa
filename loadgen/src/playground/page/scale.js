// Places in the chart: time goes to the right, latency up on a log scale.

/** Lowest and highest latency of the chart. */
const LOWEST_MS = 0.1;
const HIGHEST_MS = 60_000;

/** The gridlines. */
export const LATENCIES = [
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "100 ms"],
  [1000, "1 s"],
  [10_000, "10 s"],
];

/** The time that the chart shows. */
export const WINDOW_MS = 60_000;

/** Between two marks of the time axis. */
const TICK_MS = 10_000;

/** A function from a time to its place between `left` and `right`, with the first and the last time it shows. */
export function timeScale(start, now, left, right) {
  const to = Math.max(now, start + WINDOW_MS);
  const from = to - WINDOW_MS;
  const place = (t) => left + ((t - from) / WINDOW_MS) * (right - left);
  return Object.assign(place, { start, from, to });
}

/** The times that get a mark: round ones since the start. */
export function ticks({ start, from, to }) {
  const marks = [];
  // A rounding error must not hide the first mark.
  const first = Math.ceil((from - start) / TICK_MS - 1e-6);
  for (let t = start + first * TICK_MS; t <= to; t += TICK_MS) marks.push(t);
  return marks;
}

/** A function from a latency to its place between `bottom` and `top`. */
export function latencyScale(bottom, top) {
  const [low, high] = [Math.log10(LOWEST_MS), Math.log10(HIGHEST_MS)];
  return (ms) => {
    const within = Math.min(Math.max(ms, LOWEST_MS), HIGHEST_MS);
    return bottom - ((Math.log10(within) - low) / (high - low)) * (bottom - top);
  };
}

/** A function from a number of streams to its place, and the number at its upper end: 10, 20, 50, 100, ... */
export function countScale(most, bottom, top) {
  let upper = 10;
  for (let step = 0; upper < most; step += 1) upper *= step % 3 === 1 ? 2.5 : 2;
  return Object.assign((streams) => bottom - (streams / upper) * (bottom - top), { upper });
}
