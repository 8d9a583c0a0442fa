// A server whose client opens ten connections to its vendor at most: further requests wait in the client.

import { Agent, request } from "node:http";

import { answer } from "./serve.mjs";

const agent = new Agent({ keepAlive: true, maxSockets: 10 });
const body = JSON.stringify({ model: "mock-llm", stream: true, messages: [{ role: "user", content: "hello" }] });

function stream(_, response) {
  const call = request({
    agent,
    port: process.env.VENDOR_PORT,
    path: "/v1/chat/completions",
    method: "POST",
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
  });
  call.on("response", (answered) => {
    response.writeHead(answered.statusCode, { "content-type": answered.headers["content-type"] });
    answered.pipe(response);
  });
  call.on("error", () => response.destroy());
  response.on("close", () => call.destroy());
  call.end(body);
}

answer({ stream });
