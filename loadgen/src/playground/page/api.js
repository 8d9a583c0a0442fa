// Requests to loadgen. A refusal carries the message that loadgen gave.

/** Long enough for any answer of loadgen, which starts programs in the background. */
const PATIENCE_MS = 8000;

/** The usual reason for a page that waits. */
export const SIX =
  "A browser opens six connections to one host, and each tab of this page keeps one: with six of them open, requests " +
  "wait until one is closed.";

/** Sends an action. Throws an error whose message can be shown. */
export const post = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Reads JSON. Throws an error whose message can be shown. */
export const get = (path) => ask(path, {});

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (failure) {
    throw new Error(failure.name === "TimeoutError" ? `No answer from loadgen for 8 s. ${SIX}` : "loadgen cannot be reached.");
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new Error(body?.error?.message ?? `loadgen answered with status ${response.status}.`);
}
