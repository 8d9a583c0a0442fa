// A server that sends all of its calls over one HTTP/2 connection, to a vendor that allows 20 streams on each.

import { connect, createServer } from "node:http2";

import { answer } from "./serve.mjs";

const TOKENS = 20;
const GAP_MS = 200;

const vendor = createServer({ settings: { maxConcurrentStreams: 20 } });
vendor.on("stream", (call) => {
  call.respond({ ":status": 200 });
  let written = 0;
  const model = setInterval(() => {
    if (call.destroyed || ++written > TOKENS) {
      clearInterval(model);
      call.end();
    } else {
      call.write(`data: token ${written}\n\n`);
    }
  }, GAP_MS);
});

vendor.listen(0, "127.0.0.1", () => {
  const client = connect(`http://127.0.0.1:${vendor.address().port}`);
  answer({
    stream(_, response) {
      const call = client.request({ ":method": "POST", ":path": "/v1/chat/completions" });
      call.on("response", (head) => response.writeHead(head[":status"], { "content-type": "text/event-stream" }));
      call.on("error", () => response.destroy());
      response.on("close", () => call.close());
      call.pipe(response);
    },
  });
});
