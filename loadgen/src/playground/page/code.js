// The code of the mistake and of its fix, side by side, with the lines marked that make the difference.

import { get } from "./api.js";
import { byId, copyOf, make, setText } from "./dom.js";

const SIDES = [
  ["mistake", "broken", "The mistake"],
  ["fix", "fixed", "The fix"],
];

/** Lines shown above the marked ones. */
const LEAD = 2;

/** The part of the page that shows code. */
export function code() {
  let wanted = null;

  const show = async (mistake) => {
    const { name, has_lab: hasLab } = (wanted = mistake);
    byId("code").hidden = !hasLab;
    if (!hasLab) return setText(byId("code-state"), "The control has no mistake, so there is nothing to compare.");
    setText(byId("code-state"), `Reading the code of ${name} …`);
    let sides = null;
    try {
      sides = await get(`/api/code/${encodeURIComponent(name)}`);
      setText(byId("code-state"), "");
    } catch (failure) {
      setText(byId("code-state"), failure.message);
    }
    // Another one may have been chosen meanwhile.
    if (wanted !== mistake) return;
    const there = SIDES.filter(([side]) => sides?.[side]);
    byId("code").replaceChildren(...there.map(([side, arm, title]) => source(sides[side], arm, title)));
    for (const pre of byId("code").querySelectorAll("pre")) scrollToMarked(pre);
  };

  return {
    choose: show,
  };
}

function source({ file, text, from, to }, arm, title) {
  const section = copyOf("code-template");
  section.classList.add(arm);
  setText(section.querySelector("h3"), title);
  setText(section.querySelector(".where"), `${file}, lines ${from} to ${to} are marked`);
  const pre = section.querySelector("pre");
  pre.setAttribute("aria-label", `${title}: ${file}`);
  const lines = text.replace(/\n$/, "").split("\n").map((line, at) => lineOf(line, at + 1 >= from && at + 1 <= to));
  pre.firstElementChild.append(...lines);
  return section;
}

function lineOf(text, marked) {
  const comment = text.trimStart().startsWith("//");
  const element = make(marked ? "mark" : "span", { class: comment ? "line comment" : "line" }, `${text}\n`);
  return element;
}

function scrollToMarked(pre) {
  const marked = pre.querySelector("mark");
  if (marked) pre.scrollTop = marked.offsetTop - LEAD * marked.offsetHeight;
}
