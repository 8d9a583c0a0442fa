// Start and stop.

import { post } from "./api.js";
import { byId, onClick, setEnabled, setMessage, setText } from "./dom.js";

/** The part of the page that starts and stops both servers. `chosen()` is the mistake that is selected. */
export function run(chosen) {
  const [start, stop] = [byId("start"), byId("stop")];
  const error = byId("run-error");

  const act = async (path, body) => {
    setMessage(error, null);
    await post(path, body).catch((failure) => setMessage(error, failure.message));
  };
  onClick(start, () => act("/api/start", { mistake: chosen() }));
  onClick(stop, () => act("/api/stop"));

  return {
    state(state) {
      setEnabled(start, !state.running && !state.starting);
      setEnabled(stop, state.running || state.starting);
      setText(byId("run-state"), words(state));
      setMessage(byId("notice"), state.notice);
    },
    disconnected() {
      setEnabled(start, false);
      setEnabled(stop, false);
      setText(byId("run-state"), "Not connected");
    },
  };
}

function words({ running, starting, arms }) {
  if (starting) return "Starting …";
  if (!running) return "Not started: nothing runs.";
  const down = Object.entries(arms).filter(([, arm]) => !arm.running);
  if (down.length === 0) return "Both servers are running.";
  return `Not running: ${down.map(([name]) => name).join(", ")}.`;
}
