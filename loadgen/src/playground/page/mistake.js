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

/** The part of the page that picks the mistake. Calls `onChoice(name)` when another one is selected. */
export function mistake(onChoice) {
  const select = byId("mistake");
  const change = byId("switch");
  const error = byId("mistake-error");
  let mistakes = [];
  let state = null;
  let seen = null;

  const show = () => {
    const chosen = mistakes.find(({ name }) => name === select.value);
    setText(byId("symptom"), chosen ? `Look for: ${chosen.symptom}.` : "");
    setMessage(byId("needs"), chosen?.needs ?? null);
    const differs = state !== null && (state.running || state.starting) && select.value !== state.mistake;
    change.hidden = !differs;
    setEnabled(change, differs && !state.starting);
    if (chosen && chosen.name !== seen) onChoice((seen = chosen.name));
  };

  select.addEventListener("change", () => {
    setMessage(error, null);
    show();
  });
  onClick(change, async () => {
    setMessage(error, null);
    await post("/api/mistake", { name: select.value }).catch((failure) => setMessage(error, failure.message));
    select.focus();
  });

  return {
    chosen: () => select.value,
    catalogue(catalogue) {
      ({ mistakes } = catalogue);
      const before = select.value;
      select.replaceChildren(...Object.entries(grouped(mistakes)).map(group));
      select.value = mistakes.some(({ name }) => name === before) ? before : (state?.mistake ?? mistakes[0]?.name ?? "");
      select.disabled = false;
      show();
    },
    state(next) {
      // A mistake that another tab switched to is selected here as well.
      if (next.mistake && next.mistake !== state?.mistake) select.value = next.mistake;
      state = next;
      show();
    },
  };
}

function grouped(mistakes) {
  const groups = {};
  for (const mistake of mistakes) (groups[mistake.group] ??= []).push(mistake);
  return groups;
}

function group([name, mistakes]) {
  const options = mistakes.map((mistake) =>
    make("option", { value: mistake.name }, mistake.needs ? `${mistake.name} (needs other traffic)` : mistake.name));
  return make("optgroup", { label: GROUPS[name] ?? name }, ...options);
}
