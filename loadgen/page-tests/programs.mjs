// The programs that are under test. All of them are stopped at the end, whatever happened.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { Failed, pause } from "./expect.mjs";

const BIN = process.env.BIN;

/** Long enough for `loadgen serve` to stop its servers. */
const STOP_LIMIT_MS = 20_000;

const running = new Set();

/** Starts loadgen. `said()` is what it has printed so far. */
function start(args) {
  const child = spawn(path.resolve(BIN, "loadgen"), args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (text += data));
  const ended = once(child, "exit").then(([code]) => code);
  running.add(child);
  ended.then(() => running.delete(child));
  return { child, ended, said: () => text };
}

/** Runs loadgen to its end, which must be a success. */
export async function run(args) {
  const { ended, said } = start(args);
  const code = await ended;
  if (code !== 0) throw new Failed(`loadgen ${args.join(" ")} ended with ${code}:\n${said()}`);
}

/**
 * Starts the playground on a free port. `stop()` is Ctrl-C and returns the exit code; `kill(name)` kills a program that
 * it has started.
 */
export async function serve() {
  const program = start(["serve", "--port", "0"]);
  const end = Date.now() + 20_000;
  for (;;) {
    const url = program.said().match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    if (url) return { url, stop: () => stop(program), kill: (name) => kill(program, name) };
    if (program.child.exitCode !== null || Date.now() > end) {
      throw new Failed(`loadgen serve printed no address:\n${program.said()}`);
    }
    await pause(50);
  }
}

function kill({ child }, name) {
  const pid = execFileSync("pgrep", ["-P", String(child.pid), "-f", name], { encoding: "utf8" }).trim();
  process.kill(Number(pid), "SIGKILL");
}

async function stop({ child, ended, said }) {
  child.kill("SIGINT");
  const code = await Promise.race([ended, pause(STOP_LIMIT_MS).then(() => "none")]);
  if (code === "none") throw new Failed(`loadgen serve has not ended ${STOP_LIMIT_MS / 1000} s after Ctrl-C:\n${said()}`);
  return code;
}

/** Stops whatever still runs. */
export async function stopAll() {
  const left = [...running];
  for (const child of left) child.kill("SIGTERM");
  await Promise.race([Promise.all(left.map((child) => once(child, "exit"))), pause(STOP_LIMIT_MS)]);
  for (const child of running) child.kill("SIGKILL");
}
