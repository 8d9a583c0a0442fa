// A health check by hand, with a stopwatch that runs until the server answers.

import { post } from "./api.js";
import { announce, make, onClick, setEnabled, setMessage, setText } from "./dom.js";
import { duration } from "./format.js";

/** Older ones are removed. */
const SHOWN = 4;

/** How often a stopwatch is drawn; slower for people who asked for less motion. */
const TICK_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 100;

const ENDS = {
  answered: (ms) => `answered after ${duration(ms)}`,
  timed_out: (ms) => `timed out after ${duration(ms)}`,
  failed: (ms) => `failed after ${duration(ms)}`,
};

/** The health check in the panel of an arm. */
export function check(panel, arm) {
  const ask = panel.querySelector(".ask");
  const list = panel.querySelector(".answers");
  const error = panel.querySelector(".check-error");
  const items = new Map();

  onClick(ask, async () => {
    setMessage(error, null);
    await post("/api/check", { arm }).catch((failure) => setMessage(error, failure.message));
  });

  const itemOf = (id) => {
    if (!items.has(id)) {
      const item = { line: make("li"), timer: null };
      items.set(id, item);
      list.prepend(item.line);
      while (list.children.length > SHOWN) list.lastElementChild.remove();
    }
    return items.get(id);
  };
  const clear = () => {
    items.forEach(({ timer }) => clearInterval(timer));
    items.clear();
    list.replaceChildren();
  };

  return {
    clear,
    setEnabled: (enabled) => setEnabled(ask, enabled),
    event({ id, state, ms, reason }) {
      const item = itemOf(id);
      clearInterval(item.timer);
      item.line.className = state;
      if (state === "waiting") {
        const since = performance.now() - (ms ?? 0);
        const tick = () => setText(item.line, `${((performance.now() - since) / 1000).toFixed(1)} s, no answer yet`);
        item.timer = setInterval(tick, TICK_MS);
        tick();
      } else {
        const words = `${ENDS[state](ms)}${reason ? `: ${reason}` : ""}`;
        setText(item.line, words);
        announce(`Health check of the ${arm} server ${words}`);
      }
    },
  };
}
