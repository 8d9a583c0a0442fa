// What the servers of this folder share: a stream of 20 events, a health check, and 404 for all other paths.

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const EVENTS = 20;
const GAP_MS = 200;

/** Listens on PORT. `event(number)` is the text of an event, and `health()` that of the health check. */
export function serve({ event = (number) => `token ${number}`, health = () => "ok" }) {
  answer({
    health,
    async stream(request, response) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      for (let number = 0; number < EVENTS && !response.destroyed; number++) {
        response.write(`data: ${await event(number)}\n\n`);
        await pause(GAP_MS);
      }
      response.end("data: [DONE]\n\n");
    },
  });
}

/** Listens on PORT. `stream(request, response)` answers a request for a stream, and `health()` is the health check. */
export function answer({ stream, health = () => "ok" }) {
  const server = createServer(async (request, response) => {
    if (request.url === "/stream") await stream(request, response);
    else if (request.url === "/health") response.end(await health());
    else response.writeHead(404).end("not found");
  });
  server.listen(Number(process.env.PORT), "127.0.0.1");
}
