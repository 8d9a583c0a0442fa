// Eight single streams of one server: their text arrives token by token, or does not.

import { post } from "./api.js";
import { byId, copyOf, onClick, setEnabled, setMessage, setText } from "./dom.js";
import { duration } from "./format.js";

const STREAMS = 8;

/** Of a longer text, the end is kept. */
const KEPT_CHARACTERS = 4000;

/** How often the time of a stream that waits is drawn, and the summary of all of them. */
const TICK_MS = 1000;

const STATES = { waiting: "waiting", open: "streaming", done: "done", failed: "failed" };

/** The part of the page with the eight streams. */
export function singles() {
  const panels = Array.from({ length: STREAMS }, (_, at) => panelOf(at + 1));
  const toggle = byId("singles-toggle");
  const error = byId("singles-error");
  const radios = [...document.querySelectorAll("[name=singles]")];
  let on = false;

  byId("singles").append(...panels.map(({ element }) => element));
  const ask = async (arm, next) => {
    setMessage(error, null);
    await post("/api/singles", { arm, on: next }).catch((failure) => setMessage(error, failure.message));
  };
  const chosen = () => radios.find(({ checked }) => checked).value;
  onClick(toggle, () => ask(chosen(), !on));
  for (const radio of radios) {
    radio.addEventListener("change", () => {
      if (on) ask(radio.value, true);
    });
  }
  setInterval(() => {
    panels.forEach((panel) => panel.tick());
    setText(byId("singles-state"), summary(on, chosen(), panels));
  }, TICK_MS);

  return {
    state({ singles: wanted, running }) {
      on = wanted.on;
      if (on) radios.find(({ value }) => value === wanted.arm).checked = true;
      setText(toggle, on ? "Close the eight streams" : "Open eight streams");
      setEnabled(toggle, running);
      byId("singles").className = `singles ${on ? wanted.arm : ""}`;
      if (!on) panels.forEach((panel) => panel.closed());
    },
    token: ({ stream, text }) => panels[stream]?.add(text),
    stream: (event) => panels[event.stream]?.become(event),
    connected: () => panels.forEach((panel) => panel.clear()),
    disconnected() {
      setEnabled(toggle, false);
      panels.forEach((panel) => panel.closed());
    },
  };
}

function summary(on, arm, panels) {
  if (!on) return "Eight users more, beside the streams of the slider.";
  const number = (state) => panels.filter((panel) => panel.state() === state).length;
  const parts = Object.entries(STATES).map(([state, word]) => [number(state), word]).filter(([its]) => its > 0);
  return `On the ${arm} server: ${parts.map(([its, word]) => `${its} ${word}`).join(", ")}.`;
}

function panelOf(number) {
  const element = copyOf("single-template");
  const [state, text] = [element.querySelector(".state"), element.querySelector(".text")];
  let now = "closed";
  let since = 0;

  setText(element.querySelector(".name"), `Stream ${number}`);
  const set = (next, words) => {
    now = next;
    element.dataset.state = next;
    setText(state, words);
  };
  const clear = () => setText(text, "");

  return {
    element,
    state: () => now,
    clear,
    closed: () => set("closed", "closed"),
    add(token) {
      text.append(token);
      text.normalize();
      if (text.textContent.length > KEPT_CHARACTERS) setText(text, text.textContent.slice(-KEPT_CHARACTERS));
    },
    become({ state: next, reason }) {
      if (next === "waiting") {
        clear();
        since = performance.now();
      }
      set(next, next === "failed" && reason ? `failed: ${reason}` : STATES[next]);
    },
    /** Says how long it has waited. */
    tick() {
      const waited = performance.now() - since;
      if (now === "waiting" && waited >= TICK_MS) setText(state, `waiting for ${duration(Math.floor(waited / 1000) * 1000)}`);
    },
  };
}
