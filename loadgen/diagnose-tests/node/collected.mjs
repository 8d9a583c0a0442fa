// A server that collects the whole answer before it sends any of it.

import { setTimeout as pause } from "node:timers/promises";

import { answer } from "./serve.mjs";

answer({
  async stream(_, response) {
    const events = [];
    for (let number = 0; number < 20; number++) {
      await pause(100);
      events.push(`data: token ${number}\n\n`);
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.join(""));
  },
});
