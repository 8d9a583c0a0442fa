// The vendor's ledger: what was asked of the vendor, as the vendor counted it.

import { make, setMessage, setText } from "./dom.js";
import { count, counted } from "./format.js";

const ENTRIES = [
  ["active", "active", "being generated now"],
  ["peak_active", "peak", "the most at any time"],
  ["started", "started", "since the start"],
  ["completed", "completed", "sent whole"],
  ["cancelled", "cancelled", "client disconnected"],
];

/** The ledger in the panel of an arm. `show(vendor)` fills it in. */
export function ledger(panel) {
  const list = panel.querySelector(".ledger");
  const words = panel.querySelector(".ledger-words");
  const values = ENTRIES.map(([, name, meaning]) => {
    const value = make("dd", {}, "–");
    list.append(make("div", {}, make("dt", {}, name), value, make("dd", { class: "hint" }, meaning)));
    return value;
  });

  return function show(vendor) {
    ENTRIES.forEach(([field], at) => setText(values[at], vendor ? count(vendor[field]) : "–"));
    setMessage(words, vendor ? otherwise(vendor) : null);
  };
}

/** Generations that ended in none of these ways: the vendor's faults. */
function otherwise({ active, started, completed, cancelled }) {
  const rest = started - active - completed - cancelled;
  return rest > 0 ? `${counted(rest, "generation")} ended otherwise.` : null;
}
