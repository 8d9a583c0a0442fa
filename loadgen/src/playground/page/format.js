// Figures as people read them.

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `2,021` */
export const count = (number) => GROUPED.format(number);

/** `0.4 ms`, `12 ms`, `5.2 s` */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `3 %` of one processor. */
export const share = (cores) => `${Math.round(cores * 100)} %`;

/** `1 stream`, `8 streams` */
export const counted = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

/** `41st` */
export function ordinal(number) {
  const tens = number % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" })[number % 10] ?? "th";
  return `${count(number)}${ending}`;
}

/** How a probe is doing: `{ state, ms }` as words. */
export function probeWords(probe) {
  switch (probe?.state) {
    case "answered": return duration(probe.ms);
    case "waiting": return `no answer for ${duration(probe.ms)}`;
    case "timed_out": return `timed out after ${duration(probe.ms)}`;
    case "refused": return `status ${probe.status}`;
    case "failed": return "failed";
    case "not_sent": return "could not be sent";
    default: return "–";
  }
}

/** Whether a probe is as it should be; `null` if it says nothing yet. */
export function isWell(probe) {
  if (!probe || probe.state === "idle") return null;
  return probe.state === "answered" && probe.ms < 100;
}

/** The streams at a collapse: `at the 40th stream`, or `at 39 to 47 streams` if several opened at once. */
export function collapseWords({ streams_from: from, streams_to: to }) {
  return from === to ? `at the ${ordinal(to)} stream` : `at ${count(from)} to ${count(to)} streams`;
}
