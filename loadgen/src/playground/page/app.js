// The page as a whole: one event stream, and the parts that show what it brings.

import { SIX, get } from "./api.js";
import { arms } from "./arms.js";
import { chart } from "./chart.js";
import { code } from "./code.js";
import { connect } from "./connection.js";
import { byId, setMessage, setText } from "./dom.js";
import { figures } from "./figures.js";
import { mistake } from "./mistake.js";
import { run } from "./run.js";
import { singles } from "./singles.js";
import { streams } from "./streams.js";

const STATUS = {
  slow: ["Connecting to loadgen", `No connection to loadgen yet. ${SIX}`],
  lost: ["Connection lost", "The connection to loadgen is lost: what is below is from before. It is tried again every " +
    "second. If loadgen was stopped, its servers are stopped too: start it again with “loadgen serve”."],
  silent: ["No news", "loadgen is connected but has sent nothing for some seconds: what is below is from before."],
  connected: ["Connected", null],
};

/** With this many in one browser, the next one has no connection left for its requests. */
const PAGES_MANY = 5;

const source = code();
const choice = mistake(source.choose);

/** Each part may have a function for each event, for `catalogue`, `connected` and `disconnected`. */
const parts = [choice, source, run(choice.chosen), streams(), chart(), figures(), arms(), singles()];
const tell = (event, data) => {
  for (const part of parts) part[event]?.(data);
};

let running = false;

async function readCatalogue() {
  const catalogue = await get("/api/catalogue");
  tell("catalogue", catalogue);
  setText(byId("version"), catalogue.version ? ` loadgen ${catalogue.version}.` : "");
}

function showState(state) {
  ({ running } = state);
  const many = state.pages.open >= PAGES_MANY;
  setMessage(byId("pages"), many ? `${state.pages.open} pages are open. ${SIX}` : null);
}

connect({
  isRunning: () => running,
  onEvent(name, data) {
    if (name === "state") showState(data);
    tell(name, data);
  },
  onStatus(status) {
    const [words, explanation] = STATUS[status];
    setText(byId("connection"), words);
    byId("connection").dataset.status = status;
    document.body.classList.toggle("stale", status !== "connected");
    setMessage(byId("banner"), explanation);
    if (status === "lost" || status === "slow") tell("disconnected");
    if (status !== "connected") return;
    tell("connected");
    readCatalogue().catch((failure) => setMessage(byId("banner"), failure.message));
  },
});
