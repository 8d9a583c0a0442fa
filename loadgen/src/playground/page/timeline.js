// The rows of an arm so far, and what each of them says about a probe.

/** Rows older than this are dropped: the chart shows less. */
const KEPT_MS = 120_000;

/** The length of a row. */
const ROW_MS = 250;

/** The timeline of one arm. */
export class Timeline {
  #rows = new Map();
  #started = null;

  /** Adds rows, which replace those with the same start. An arm that was started anew begins with none. */
  add({ rows, started_ms: started }, now) {
    if (started !== this.#started) this.clear();
    this.#started = started;
    for (const row of rows) this.#rows.set(row.t_ms, row);
    for (const start of this.#rows.keys()) {
      if (start >= now - KEPT_MS) break;
      this.#rows.delete(start);
    }
  }

  clear() {
    this.#rows.clear();
  }

  /** The rows since `from`, in order. */
  since(from) {
    return [...this.#rows.values()].filter((row) => row.t_ms >= from).sort((one, other) => one.t_ms - other.t_ms);
  }
}

/**
 * Points `{ t, ms, kind }` of a probe, where `kind` is `answered`, `timed_out`, or `waiting` for one that has no answer
 * yet: its latency is then the time since it was due, so it grows with each frame.
 */
export function points(rows, probe, now) {
  const there = rows.filter((row) => row.probe_max_ms[probe] !== undefined);
  return there.map((row) => {
    const ms = row.probe_max_ms[probe];
    return { t: row.t_ms, ms, kind: kindOf(ms, row.probe_timed_out[probe] ?? 0, now - row.t_ms) };
  });
}

function kindOf(ms, timedOut, age) {
  if (timedOut > 0) return "timed_out";
  return ms >= ROW_MS && ms >= age - 2 * ROW_MS ? "waiting" : "answered";
}
