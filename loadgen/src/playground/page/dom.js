// Elements made and found. Text from a server goes in as text only, so that it cannot become markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child that is a string becomes text. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A copy of what a template holds. */
export const copyOf = (id) => byId(id).content.firstElementChild.cloneNode(true);

/** Sets a text only if it differs: a screen reader announces what is set, even where it is the same. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a message in its element, or hides the element if there is none. */
export function setMessage(element, text) {
  setText(element, text ?? "");
  element.hidden = !text;
}

/** Greys a button out. It keeps the focus, which `disabled` would take from a person at the keyboard. */
export function setEnabled(button, enabled) {
  button.setAttribute("aria-disabled", String(!enabled));
}

/** Calls `act` on each click of an enabled button. */
export function onClick(button, act) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") act();
  });
}

/** Has a screen reader say something that is seen elsewhere. */
export function announce(text) {
  byId("announcer").textContent = text;
}
