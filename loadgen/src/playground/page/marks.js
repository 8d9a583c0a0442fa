// What is drawn in the chart: lines, circles, crosses, and the labels at their ends.

import { svg } from "./dom.js";

/** A line breaks where nothing was measured for longer. */
const GAP_MS = 1000;

/** Labels at the end of lines are at least this far apart. */
const LABEL_HEIGHT = 22;

/** About the width of a letter of the collapse's label. */
const LETTER_WIDTH = 9;

/** Circles and crosses are drawn at least this many pixels apart. */
const MARK_WIDTH = 9;

/** The latency of an arm: a line through what was answered or timed out, a circle for each probe that waits. */
export function latencyMarks(arm, points, x, y) {
  const settled = points.filter(({ kind }) => kind !== "waiting");
  const waiting = apart(points.filter(({ kind }) => kind === "waiting"), x);
  const timedOut = apart(points.filter(({ kind }) => kind === "timed_out"), x);
  return svg("g", { class: arm },
    svg("path", { class: "line", d: path(settled, ({ t }) => x(t), ({ ms }) => y(ms)) }),
    ...waiting.map(({ t, ms }) => svg("circle", { class: "waiting", cx: x(t), cy: y(ms), r: 3.5 })),
    ...timedOut.map(({ t, ms }) => svg("path", { class: "timed-out", d: cross(x(t), y(ms)) })));
}

/** Some of many points: which ones depends on their time alone, so that a mark stays while the chart moves on. */
function apart(points, x) {
  const slot = ({ t }) => Math.floor((t * (x(1) - x(0))) / MARK_WIDTH);
  return points.filter((point, at) => at === 0 || slot(point) !== slot(points[at - 1]));
}

/** The streams of an arm as a line of steps. */
export function streamMarks(arm, rows, x, y) {
  const steps = rows.map((row, at) => {
    const [across, up] = [x(row.t_ms).toFixed(1), y(row.streams_active).toFixed(1)];
    return at === 0 ? `M${across} ${up}` : `H${across}V${up}`;
  });
  return svg("g", { class: arm }, svg("path", { class: "line", d: steps.join("") }));
}

function path(points, x, y) {
  let before = -Infinity;
  const commands = points.map((point) => {
    const command = point.t - before > GAP_MS ? "M" : "L";
    before = point.t;
    return `${command}${x(point).toFixed(1)} ${y(point).toFixed(1)}`;
  });
  return commands.join("");
}

/** A cross: a probe that timed out, at its time limit. */
export const cross = (x, y) => `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`;

/** A vertical line where an arm collapsed, with the number of streams on the given line of text. */
export function collapseMark({ name: arm, collapse }, line, x, { left, right, top, bottom }) {
  const at = x(collapse.t_ms);
  const words = `collapse: ${collapse.label}`;
  const from = Math.max(Math.min(at + 8, right - words.length * LETTER_WIDTH), left);
  return svg("g", { class: `${arm} collapse` },
    svg("path", { d: `M${at} ${top}V${bottom}` }),
    svg("text", { x: from, y: top + 14 + line * LABEL_HEIGHT }, words));
}

/** Labels `{ arm, y, text }` beside the ends of the lines, moved apart where they would overlap. */
export function endLabels(labels, x, bottom) {
  const placed = [...labels].sort((one, other) => one.y - other.y);
  for (let at = 1; at < placed.length; at += 1) {
    placed[at].y = Math.max(placed[at].y, placed[at - 1].y + LABEL_HEIGHT);
  }
  for (let at = placed.length - 1, limit = bottom; at >= 0; at -= 1, limit -= LABEL_HEIGHT) {
    placed[at].y = Math.min(placed[at].y, limit);
  }
  return placed.map(({ arm, y, text }) => svg("text", { class: `${arm} end`, x, y: y + 5 }, text));
}
