// The slider for streams, and the same as a number.

import { post } from "./api.js";
import { byId, make, onClick, setEnabled, setMessage, setText } from "./dom.js";
import { count, counted } from "./format.js";

/** Around the 40 threads of the pool, and far beyond. */
const PRESETS = [0, 20, 39, 40, 45, 60, 80, 200, 1000];

/** Where the mistakes show, a slider needs a pixel a stream; it reaches further on request. */
const FINE = 100;

/** Page up and page down move by this much: a browser's own step is a tenth of the whole slider. */
const PAGE = 10;

/** A drag sends at most one request in this time. */
const PAUSE_MS = 100;

/** What others set is shown when this page has not been used for this long. */
const SETTLED_MS = 700;

/** The part of the page that sets the number of streams. */
export function streams() {
  const slider = byId("streams");
  const number = byId("streams-number");
  const wide = byId("wide");
  const error = byId("streams-error");
  let most = FINE;
  let current = 0;
  let changedAt = -Infinity;
  let typing = false;

  const reach = () => {
    slider.max = wide.checked ? most : Math.min(FINE, most);
  };
  const show = (value) => {
    if (value > Number(slider.max) && value <= most) {
      wide.checked = true;
      reach();
    }
    slider.value = value;
    slider.setAttribute("aria-valuetext", counted(Number(slider.value), "stream"));
    if (!typing && !error.textContent) number.value = value;
  };
  const showCurrent = () => {
    if (performance.now() - changedAt >= SETTLED_MS) show(current);
  };
  const complain = (message) => {
    setMessage(error, message);
    number.setAttribute("aria-invalid", String(message !== null));
  };

  const send = latestOnly(async (value) => {
    await post("/api/streams", { count: value }).then(() => complain(null), (failure) => complain(failure.message));
    setTimeout(showCurrent, SETTLED_MS);
  });
  const ask = (value) => {
    changedAt = performance.now();
    complain(null);
    show(value);
    send(value);
  };

  slider.addEventListener("input", () => ask(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const by = { PageUp: PAGE, PageDown: -PAGE }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    ask(Math.min(Math.max(Number(slider.value) + by, 0), Number(slider.max)));
  });
  wide.addEventListener("change", () => {
    reach();
    show(current);
  });
  number.addEventListener("input", () => (typing = true));
  number.addEventListener("blur", () => (typing = false));
  number.addEventListener("change", () => {
    typing = false;
    if (number.value === "") complain(`Streams must be a whole number from 0 to ${count(most)}.`);
    else ask(Number(number.value));
  });

  return {
    catalogue({ streams_max: limit, streams_limit_reason: reason }) {
      most = limit;
      number.max = most;
      byId("wide-label").hidden = most <= FINE;
      setText(byId("wide-label").lastElementChild, `slider up to ${count(most)}`);
      reach();
      slider.disabled = number.disabled = false;
      setText(byId("streams-hint"), `0 to ${count(most)}.${reason ? ` ${reason}` : ""}`);
      const presets = PRESETS.filter((preset) => preset <= most);
      byId("presets").replaceChildren(...presets.map((preset) => presetButton(preset, ask)));
      show(current);
    },
    state(state) {
      current = state.streams;
      showCurrent();
    },
    disconnected() {
      slider.disabled = number.disabled = true;
      for (const button of byId("presets").children) setEnabled(button, false);
    },
  };
}

function presetButton(preset, ask) {
  const button = make("button", { type: "button", "aria-label": counted(preset, "stream") }, count(preset));
  onClick(button, () => ask(preset));
  return button;
}

/** Calls `send` with the newest value only, one call after another. */
function latestOnly(send) {
  let next = null;
  let sending = false;
  return async (value) => {
    next = value;
    if (sending) return;
    sending = true;
    while (next !== null) {
      const taken = next;
      next = null;
      await send(taken);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    sending = false;
  };
}
