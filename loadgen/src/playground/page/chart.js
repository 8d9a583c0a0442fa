// The chart: the latency of a health check on both arms over the last minute, and the streams below it.

import { byId, make, svg } from "./dom.js";
import { count, probeWords } from "./format.js";
import { collapseMark, cross, endLabels, latencyMarks, streamMarks } from "./marks.js";
import { LATENCIES, countScale, latencyScale, ticks, timeScale } from "./scale.js";
import { Timeline, points } from "./timeline.js";

/** The height of the streams, and the margins that the labels of the axes need, in pixels. */
const STREAMS_HEIGHT = 76;
const MARGIN = { left: 98, right: 14, top: 8, bottom: 46, between: 26 };

/** Room for the labels at the ends of the lines, in letters of the page, where the chart is wide enough for them. */
const LABELS = { letters: 12.2, from: 640 };

const letter = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** The part of the page that draws the chart. */
export function chart() {
  const holder = byId("chart");
  const timelines = { broken: new Timeline(), fixed: new Timeline() };
  let frame = { t_ms: 0, arms: [] };
  let start = null;
  let probe = "health_sync";

  const clear = () => Object.values(timelines).forEach((timeline) => timeline.clear());
  const draw = () => holder.replaceChildren(picture(holder, { frame, start: start ?? 0, timelines, probe }));

  byId("legend").replaceChildren(...legend());
  for (const radio of document.querySelectorAll("[name=probe]")) {
    radio.addEventListener("change", () => {
      probe = radio.value;
      draw();
    });
  }
  new ResizeObserver(draw).observe(holder);

  return {
    state({ running, starting }) {
      if (!running && !starting) start = null;
    },
    frame(next) {
      const begun = next.arms.filter((arm) => arm.rows.length > 0);
      // Nothing runs: what was last drawn stays.
      if (begun.length === 0) return;
      // The first of a connection: it has all rows, not only those that have changed.
      if (next.full) clear();
      frame = next;
      start ??= Math.min(...begun.map((arm) => arm.started_ms));
      for (const arm of begun) timelines[arm.name]?.add(arm, frame.t_ms);
      draw();
    },
  };
}

function picture({ clientWidth: width, clientHeight: height }, { frame, start, timelines, probe }) {
  const labelled = width >= LABELS.from;
  const right = width - MARGIN.right - (labelled ? LABELS.letters * letter() : 0);
  const bottom = height - MARGIN.bottom;
  const floor = bottom - STREAMS_HEIGHT - MARGIN.between;
  const x = timeScale(start, frame.t_ms, MARGIN.left, right);
  const y = latencyScale(floor, MARGIN.top);
  const rows = Object.fromEntries(Object.entries(timelines).map(([arm, timeline]) => [arm, timeline.since(x.from)]));
  const most = Math.max(...Object.values(rows).flat().map((row) => row.streams_active), 0);
  const streams = countScale(most, bottom, bottom - STREAMS_HEIGHT);

  const collapsed = frame.arms.filter((arm) => arm.collapse && arm.collapse.t_ms >= x.from);
  const labels = labelled ? frame.arms.flatMap((arm) => endLabel(arm, probe, y)) : [];
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` },
    ...axes({ x, y, streams, right, floor, bottom }),
    ...Object.entries(rows).map(([arm, its]) => streamMarks(arm, its, x, streams)),
    ...collapsed.map((arm, line) => collapseMark(arm, line, x, { ...MARGIN, right, bottom })),
    ...Object.entries(rows).map(([arm, its]) => latencyMarks(arm, points(its, probe, frame.t_ms), x, y)),
    ...endLabels(labels, right + 10, floor));
}

function axes({ x, y, streams, right, floor, bottom }) {
  const left = MARGIN.left;
  const line = (from, to, at) => svg("path", { class: "grid", d: `M${from} ${at}H${to}` });
  const text = (attributes, words) => svg("text", attributes, words);
  const title = (middle, words) =>
    text({ class: "title", "text-anchor": "middle", transform: `translate(14 ${middle}) rotate(-90)` }, words);
  return [
    ...LATENCIES.map(([ms]) => line(left, right, y(ms))),
    ...LATENCIES.map(([ms, words]) => text({ x: left - 8, y: y(ms) + 5, "text-anchor": "end" }, words)),
    line(left, right, floor),
    ...[0, streams.upper / 2, streams.upper].map((number) => line(left, right, streams(number))),
    ...[0, streams.upper].map((number) =>
      text({ x: left - 8, y: streams(number) + 5, "text-anchor": "end" }, count(number))),
    ...ticks(x).map((t) => text({ x: x(t), y: bottom + 20, "text-anchor": "middle" }, String(Math.round((t - x.start) / 1000)))),
    text({ class: "title", x: (left + right) / 2, y: bottom + 40, "text-anchor": "middle" }, "seconds since the start"),
    title((MARGIN.top + floor) / 2, "latency, log scale"),
    title(bottom - STREAMS_HEIGHT / 2, "streams"),
  ];
}

/** The latest of the probe, in words, at the height of its latency. */
function endLabel(arm, probe, y) {
  const latest = arm.probes[probe];
  if (!latest || latest.state === "idle") return [];
  return [{ arm: arm.name, y: y(latest.ms ?? Infinity), text: `${SHAPES[arm.name]} ${probeWords(latest)}` }];
}

const SHAPES = { broken: "▲", fixed: "●" };

function legend() {
  const swatch = (arm, ...marks) => svg("svg", { width: 40, height: 14, "aria-hidden": "true" }, svg("g", { class: arm }, ...marks));
  const line = () => svg("path", { class: "line", d: "M2 7H38" });
  const item = (picture, words) => make("li", {}, picture, words);
  return [
    item(swatch("broken", line()), "▲ broken"),
    item(swatch("fixed", line()), "● fixed"),
    item(swatch("broken", svg("circle", { class: "waiting", cx: 20, cy: 7, r: 3.5 })), "no answer yet: rises while it waits"),
    item(swatch("broken", svg("path", { class: "timed-out", d: cross(20, 7) })), "timed out, at the time limit"),
  ];
}
