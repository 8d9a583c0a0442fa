// The one event stream of the page. A browser opens six connections to a host, so a stream for each part of the page
// would leave none for its requests.

const EVENTS = ["state", "frame", "token", "stream", "check"];

/** The pause before a new attempt where the browser has given up. */
const RETRY_MS = 2000;

/** An event stream that has not opened by then gets a hint. */
const SLOW_MS = 3000;

/** Frames come four times a second while the servers run. */
const SILENT_MS = 4000;

/**
 * Listens for good. `onEvent(name, data)` gets each event; `onStatus(status)` one of `connected`, `slow` (not open
 * yet), `lost` (trying again) and `silent` (open, but no frames although `isRunning()`).
 */
export function connect({ onEvent, onStatus, isRunning }) {
  let status = null;
  let lastFrame = 0;
  const set = (next) => {
    if (status !== next) onStatus((status = next));
  };

  const open = () => {
    const source = new EventSource("/api/events");
    source.addEventListener("open", () => {
      lastFrame = Date.now();
      set("connected");
    });
    source.addEventListener("error", () => {
      set("lost");
      // The browser tries again by itself after a lost connection, but not after an answer that is no event stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
    });
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        if (name === "frame") lastFrame = Date.now();
        if (status === "silent") set("connected");
        onEvent(name, JSON.parse(event.data));
      });
    }
  };

  open();
  setTimeout(() => {
    if (status === null) set("slow");
  }, SLOW_MS);
  setInterval(() => {
    if (status !== "connected") return;
    if (!isRunning()) lastFrame = Date.now();
    else if (Date.now() - lastFrame > SILENT_MS) set("silent");
  }, 1000);
}
