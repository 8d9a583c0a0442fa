// The vendor's ledger: what was asked of the vendor, as the vendor counted it.

import { make, setText } from "./dom.js";
import { count } from "./format.js";

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
    setText(words, vendor ? sentence(vendor) : "Not known yet.");
  };
}

function sentence({ active, started, completed, cancelled }) {
  const failed = started - active - completed - cancelled;
  const rest = failed > 0 ? ` ${count(failed)} ended otherwise.` : "";
  return `The vendor has begun ${count(started)} generations and finished ${count(completed)}.${rest}`;
}
