// The panels of the two servers.

import { post } from "./api.js";
import { check } from "./check.js";
import { byId, copyOf, onClick, setEnabled, setMessage, setText } from "./dom.js";
import { counted, duration, isWell, probeWords } from "./format.js";
import { ledger } from "./ledger.js";
import { pool } from "./pool.js";

const ARMS = {
  broken: { title: "Broken", shape: "▲" },
  fixed: { title: "Fixed", shape: "●" },
};

/** The part of the page with a panel a server. */
export function arms() {
  const panels = Object.fromEntries(Object.keys(ARMS).map((name) => [name, panelOf(name)]));
  return {
    state(state) {
      for (const [name, panel] of Object.entries(panels)) panel.state(state, state.arms[name] ?? {});
    },
    frame(frame) {
      for (const arm of frame.arms) panels[arm.name]?.frame(arm);
    },
    check: (event) => panels[event.arm]?.check(event),
    connected: () => Object.values(panels).forEach((panel) => panel.connected()),
    disconnected: () => Object.values(panels).forEach((panel) => panel.disconnected()),
  };
}

function panelOf(name) {
  const panel = copyOf("arm-template");
  const find = (selector) => panel.querySelector(selector);
  const { title, shape } = ARMS[name];
  const [error, toggle, readout] = [find(".error"), find(".toggle"), find(".readout")];
  const [showPool, showLedger, byHand] = [pool(panel), ledger(panel), check(panel, name)];
  let running = false;

  panel.classList.add(name);
  panel.setAttribute("aria-labelledby", `${name}-title`);
  find("h2").id = `${name}-title`;
  setText(find(".shape"), shape);
  setText(find(".title"), title);
  find(".ask").setAttribute("aria-label", `Check health of the ${name} server`);
  byId("arms").append(panel);

  const idle = (why) => {
    setText(readout, "–");
    readout.dataset.well = "";
    showPool(null, why);
    setMessage(find(".collapse"), null);
  };
  onClick(toggle, async () => {
    const path = `/api/arms/${name}/${running ? "stop" : "start"}`;
    await post(path).catch((failure) => setMessage(error, failure.message));
  });
  idle("Not running.");

  return {
    state(state, arm) {
      running = Boolean(arm.running);
      setText(find(".state"), stateWords(arm));
      setMessage(error, arm.error ?? null);
      setText(find(".program"), programWords(arm, name === "broken" ? state.mistake : null));
      setText(toggle, running ? "Stop" : "Start");
      toggle.setAttribute("aria-label", `${running ? "Stop" : "Start"} ${name}`);
      setEnabled(toggle, !arm.starting);
      byHand.setEnabled(running);
      if (!running) idle("Not running.");
    },
    frame(arm) {
      if (!running) return;
      const probe = arm.probes.health_sync;
      const well = isWell(probe);
      setText(readout, probeWords(probe));
      readout.dataset.well = well === null ? "" : String(well);
      setMessage(find(".collapse"), arm.collapse ? collapse(arm) : null);
      showPool(arm.pool, withoutPool(name, arm));
      showLedger(arm.vendor);
    },
    check: byHand.event,
    connected: byHand.clear,
    disconnected() {
      running = false;
      byHand.clear();
      byHand.setEnabled(false);
      setEnabled(toggle, false);
      setText(find(".state"), "not known");
      idle("Not known: no connection to loadgen.");
    },
  };
}

const collapse = ({ collapse: { label, t_ms: at }, started_ms: start }) =>
  `Collapse: ${label}, ${duration(at - start)} after the start.`;

function stateWords({ running, starting, error }) {
  if (starting) return "starting";
  if (running) return "running";
  return error ? "failed" : "stopped";
}

function programWords({ url }, mistake) {
  const words = mistake ? `broken-server --mistake ${mistake}` : "fixed-server";
  return url ? `${words}, at ${url}` : words;
}

const withoutPool = (name, { threads }) =>
  name === "fixed"
    ? `None for streams: one that waits holds no thread.${threads ? ` The process has ${counted(threads, "thread")}.` : ""}`
    : "No figures at the moment: the server has not answered /metrics.";
