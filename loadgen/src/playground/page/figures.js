// The chart as a table: for screen readers, which hear what has changed, and for exact figures.

import { byId, make, setText } from "./dom.js";
import { count, probeWords, share } from "./format.js";

/** A screen reader needs time to say what has changed. */
const EVERY_MS = 3000;

const ARMS = ["broken", "fixed"];

const ROWS = [
  ["Health check on the thread pool", (arm) => probeWords(arm.probes.health_sync)],
  ["Health check on the event loop", (arm) => probeWords(arm.probes.health_async)],
  ["Streams open, of those asked", (arm) => `${count(arm.streams_active)} of ${count(arm.streams_asked)}`],
  ["Tokens a second", (arm) => count(Math.round(arm.chunks_per_second))],
  ["Threads", (arm) => known(arm.threads, count)],
  ["CPU, of one processor", (arm) => known(arm.cpu_cores, share)],
];

const known = (value, words) => (value === null || value === undefined ? "–" : words(value));

/** The part of the page that shows the table. */
export function figures() {
  const cells = ROWS.map(() => ARMS.map(() => make("td", {}, "–")));
  let shownAt = -Infinity;
  byId("figures").append(table(cells));

  return {
    connected: () => (shownAt = -Infinity),
    frame(frame) {
      if (performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      for (const arm of frame.arms) {
        const column = ARMS.indexOf(arm.name);
        if (column >= 0) ROWS.forEach(([, words], row) => setText(cells[row][column], words(arm)));
      }
    },
    state(state) {
      ARMS.forEach((arm, column) => {
        if (!state.arms[arm]?.running) cells.forEach((row) => setText(row[column], "–"));
      });
    },
  };
}

function table(cells) {
  const head = make("tr", {}, make("td"), ...ARMS.map((arm) => make("th", { scope: "col", class: arm }, arm)));
  const rows = ROWS.map(([title], row) => make("tr", {}, make("th", { scope: "row" }, title), ...cells[row]));
  return make("table", { "aria-labelledby": "figures-title" }, make("thead", {}, head), make("tbody", {}, ...rows));
}
