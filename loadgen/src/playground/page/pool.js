// The thread pool of a server: a box a thread, filled while it works or waits, and what is queued behind.

import { make, setText } from "./dom.js";
import { count } from "./format.js";

/** More threads than this are told in words only. */
const MOST_BOXES = 640;

/** The pool in the panel of an arm. `show(pool, why)` draws it, or says why there is none. */
export function pool(panel) {
  const boxes = panel.querySelector(".pool");
  const words = panel.querySelector(".pool-words");

  return function show(state, why) {
    boxes.hidden = !state;
    if (!state) return setText(words, why);
    const { size, busy, queued } = state;
    const text = `${count(busy)} of ${count(size)} threads are taken. ` +
      (queued > 0 ? `${count(queued)} more pieces of work wait for one.` : "Nothing waits for one.");
    setText(words, text);
    boxes.setAttribute("aria-label", text);
    const drawn = Math.min(size, MOST_BOXES);
    if (boxes.children.length !== drawn + 1) {
      const queue = make("i", { class: "queue" });
      boxes.replaceChildren(...Array.from({ length: drawn }, () => make("i")), queue);
      boxes.classList.toggle("many", drawn > 80);
    }
    [...boxes.children].slice(0, drawn).forEach((box, at) => box.classList.toggle("busy", at < busy));
    boxes.classList.toggle("full", busy >= size);
    setText(boxes.lastElementChild, queued > 0 ? `+${count(queued)} waiting` : "");
  };
}
