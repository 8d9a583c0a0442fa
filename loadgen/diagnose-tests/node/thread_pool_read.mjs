// Each stream reads a named pipe with `fs`, which waits in one of libuv's four threads until there is something to read.
// The health check reads a file, and so needs one of them too.

import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, read, rmSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

import { answer } from "./serve.mjs";

const TOKENS = 20;
const GAP_MS = 200;
const folder = mkdtempSync(`${tmpdir()}/pipes-`);
const nextPiece = promisify(read);
let pipes = 0;

async function stream(request, response) {
  const path = `${folder}/${pipes++}`;
  await promisify(execFile)("mkfifo", [path]);
  const pipe = openSync(path, "r+");
  rmSync(path);
  let written = 0;
  // The model, which writes a token now and then.
  const model = setInterval(() => {
    writeSync(pipe, ++written === TOKENS || response.destroyed ? "[DONE]" : `token ${written}`);
    if (written === TOKENS || response.destroyed) clearInterval(model);
  }, GAP_MS);

  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let text = ""; !text.includes("[DONE]"); ) {
    const { bytesRead, buffer } = await nextPiece(pipe, Buffer.alloc(1024), 0, 1024, null);
    text = buffer.toString("utf8", 0, bytesRead);
    response.write(`data: ${text}\n\n`);
  }
  response.end();
  closeSync(pipe);
}

answer({ stream, health: async () => (await readFile("/etc/hosts")).length.toString() });
