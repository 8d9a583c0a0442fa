// The choice of the mistake. While the servers run, choosing one shows its code, and a button switches to it: whoever
// walks through the list with the arrow keys restarts nothing.

import { post } from "./api.js";
import { byId, make, onClick, setEnabled, setMessage, setText } from "./dom.js";

const GROUPS = {
  control: "Control: nothing is wrong",
  threads: "Threads: pools and the event loop",
  calls: "Calls to the vendor",
  operations: "Operation: health checks, restarts, shutdown",
};

/** The part of the page that picks the mistake. Calls `onChoice(mistake)` when another one is selected. */
export function mistake(onChoice) {
  const select = byId("mistake");
  const change = byId("switch");
  const error = byId("mistake-error");
  let mistakes = [];
  let state = null;
  let shown = null;

  const isUp = () => state !== null && (state.arms.broken.running || state.arms.broken.starting);
  const show = () => {
    const chosen = mistakes.find(({ name }) => name === select.value);
    change.hidden = !isUp() || select.value === state.mistake;
    setEnabled(change, !state?.arms.broken.starting);
    if (!chosen || chosen === shown) return;
    shown = chosen;
    setText(byId("symptom"), chosen.has_lab ? `Look for: ${chosen.symptom}.` : "");
    setText(byId("here"), chosen.here);
    setMessage(byId("needs"), needs(chosen));
    onChoice(chosen);
  };
  const ask = async () => {
    setMessage(error, null);
    await post("/api/mistake", { name: select.value }).catch((failure) => setMessage(error, failure.message));
  };

  select.addEventListener("change", () => {
    show();
    if (!isUp()) ask();
  });
  onClick(change, async () => {
    await ask();
    select.focus();
  });

  return {
    chosen: () => select.value,
    catalogue(catalogue) {
      ({ mistakes } = catalogue);
      const before = select.value || state?.mistake;
      select.replaceChildren(...Object.entries(grouped(mistakes)).map(group));
      if (mistakes.some(({ name }) => name === before)) select.value = before;
      select.disabled = false;
      show();
    },
    state(next) {
      // A mistake that another tab switched to is selected here as well.
      if (next.mistake !== state?.mistake) select.value = next.mistake;
      state = next;
      show();
    },
    disconnected: () => setEnabled(change, false),
  };
}

/** What a mistake needs to show that this page does not send; `null` if streams and health checks show it. */
const needs = ({ has_lab: hasLab, shows_here: shows, lab }) =>
  hasLab && !shows ? `Streams alone do not show it. Its lab sends what does: ${lab.command}` : null;

function grouped(mistakes) {
  const groups = {};
  for (const mistake of mistakes) (groups[mistake.group] ??= []).push(mistake);
  return groups;
}

function group([name, mistakes]) {
  const options = mistakes.map((mistake) =>
    make("option", { value: mistake.name }, needs(mistake) ? `${mistake.name} (needs more than streams)` : mistake.name));
  return make("optgroup", { label: GROUPS[name] ?? name }, ...options);
}
