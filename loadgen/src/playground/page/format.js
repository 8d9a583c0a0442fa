// Figures as people read them.

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `2,021` */
export const count = (number) => GROUPED.format(number);

/** `0.4 ms`, `12 ms`, `5.2 s`, `10 s` */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} s`;
}

/** `3 %` of one processor. */
export const share = (cores) => `${Math.round(cores * 100)} %`;

/** `1 stream`, `8 streams` */
export const counted = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

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
