// The playground, driven as a teacher would.

import { open } from "./browser.mjs";
import { expect, pause, step, until } from "./expect.mjs";
import { checkLooks } from "./looks.mjs";
import { serve } from "./programs.mjs";

/** More streams than the pool has threads. */
const STREAMS = 45;
const THREADS = 40;

/** A health check hangs until a stream has ended, which takes up to 15 s. */
const HANG_MS = 20_000;

export async function checkPlayground() {
  const playground = await serve();
  const browser = await open((url) => url.startsWith(`${playground.url}/`));
  try {
    const page = await browser.newPage();
    await page.goto(playground.url);
    await step("the page connects, and nothing runs", () => opens(page));
    await step("it looks right before the start", () => checkLooks(page, "playground-before"));
    await step("start, by keyboard", () => starts(page));
    await step(`the slider goes to ${STREAMS} by keyboard`, () => moves(page));
    await step("the broken server's health hangs and the other's does not", () => hangs(page));
    await step("the broken server's pool is full", () => fills(page));
    await step("a check by hand runs on one side and is answered at once on the other", () => checks(page));
    await step("eight streams flow on the fixed server and wait on the broken one", () => streams(page));
    await step("it looks right while the pool is full", () => checkLooks(page, "playground"));
    browser.assertClean();
    await step("loadgen's message about a number it refuses is shown", () => refuses(page));
    browser.assertClean(/api\/streams/);
    const second = await browser.newPage();
    await step("a second tab shows the same run", () => isSame(second, playground.url));
    await step("switch the mistake, for both tabs", () => switches(page, second));
    await page.close();
    await pause(500);
    await step("a server that has died is shown with the reason, and started again", () => dies(second, playground));
    await step("with many tabs the page says how many connections a browser has", () => crowds(browser, second, playground));
    await step("closing a tab stops nothing; stop does", () => stops(second));
    browser.assertClean();
    await step("after Ctrl-C the page says that the connection is lost", () => ends(second, playground));
  } finally {
    await browser.close();
  }
}

const text = (page, selector) => page.locator(selector).textContent();
const readout = (page, arm) => text(page, `.arm.${arm} .readout`);

async function opens(page) {
  await until("connection", () => text(page, "#connection"), (words) => words === "Connected");
  await until("nothing runs", () => text(page, "#run-state"), (words) => words.startsWith("Not started"));
  await until("all mistakes", () => page.locator("#mistake option").count(), (number) => number > 10);
  await until("code", () => page.locator("#code mark").count());
}

async function starts(page) {
  await page.getByRole("button", { name: "Start both servers" }).press("Enter");
  for (const arm of ["broken", "fixed"]) {
    await until(arm, () => text(page, `.arm.${arm} .state`), (words) => words === "running", 30_000);
    await until(`${arm}: health`, () => readout(page, arm), (words) => / ms$/.test(words));
  }
}

async function moves(page) {
  const slider = page.getByRole("slider");
  await slider.focus();
  for (let at = 0; at < 4; at += 1) await page.keyboard.press("PageUp");
  for (let at = 0; at < 5; at += 1) await page.keyboard.press("ArrowRight");
  expect((await slider.inputValue()) === String(STREAMS), `the slider is at ${await slider.inputValue()}`);
  await until("number", () => page.locator("#streams-number").inputValue(), (value) => value === String(STREAMS));
}

async function hangs(page) {
  const isHanging = (words) => words.startsWith("no answer for") || words.startsWith("timed out");
  await until("broken", () => readout(page, "broken"), isHanging, HANG_MS);
  const fixed = await readout(page, "fixed");
  expect(/^[0-9.]+ ms$/.test(fixed), `fixed: ${fixed}`);
  await until("collapse", () => page.locator("#chart .collapse").count());
}

async function fills(page) {
  const boxes = page.locator(".arm.broken .pool i");
  expect((await boxes.count()) === THREADS + 1, "a box a thread, and the queue");
  await until("busy boxes", () => page.locator(".arm.broken .pool i.busy").count(), (busy) => busy === THREADS, HANG_MS);
  await until("queue", () => text(page, ".arm.broken .pool .queue"), (words) => /^\+\d+ waiting$/.test(words), HANG_MS);
}

async function checks(page) {
  const newest = (arm) => page.locator(`.arm.${arm} .answers li`).first();
  await page.getByRole("button", { name: "Check health of the fixed server" }).click();
  await until("fixed", () => newest("fixed").textContent(), (words) => /^answered after [0-9.]+ ms$/.test(words));

  const broken = page.getByRole("button", { name: "Check health of the broken server" });
  // Between two streams a check may find a free thread; the next one does not.
  for (;;) {
    await broken.click();
    await pause(1500);
    if ((await newest("broken").textContent()).includes("no answer yet")) break;
  }
  const seconds = async () => parseFloat(await newest("broken").textContent());
  const before = await seconds();
  await pause(700);
  const after = await seconds();
  expect(after > before || Number.isNaN(after), `the stopwatch runs: ${before} s, then ${after} s`);
  await until("broken", () => newest("broken").textContent(), (words) => /^(answered|timed out) after/.test(words), HANG_MS);
}

async function streams(page) {
  const length = async () => (await page.locator(".single .text").allTextContents()).map((words) => words.length);
  await page.getByRole("radio", { name: "fixed" }).check();
  await page.getByRole("button", { name: "Open eight streams" }).click();
  await until("eight texts", length, (lengths) => lengths.length === 8 && lengths.every((its) => its > 0));
  const before = await length();
  await until("text grows", length, (lengths) => lengths.every((its, at) => its > before[at]));

  await page.getByRole("radio", { name: "broken" }).check();
  const waiting = page.locator(".single .state").filter({ hasText: /^waiting for [0-9]+ s$/ });
  await until("streams that wait for seconds", () => waiting.count(), Boolean, HANG_MS);
}

async function refuses(page) {
  const number = page.locator("#streams-number");
  await number.fill("10000000");
  await number.press("Enter");
  await until("message", () => text(page, "#streams-error"));
  expect((await number.getAttribute("aria-invalid")) === "true", "the number is marked as invalid");
  await number.fill(String(STREAMS));
  await number.press("Enter");
  await until("message goes", () => text(page, "#streams-error"), (words) => words === "");
}

async function isSame(second, url) {
  await second.goto(url);
  await until("state", () => text(second, "#run-state"), (words) => words === "Both servers are running.");
  await until("streams", () => second.locator("#streams").inputValue(), (value) => value === String(STREAMS));
  await until("mistake", () => second.locator("#mistake").inputValue(), (name) => name === "pool-exhaustion");
  await until("frames", () => readout(second, "fixed"), (words) => / ms$/.test(words));
}

async function switches(page, second) {
  await page.locator("#mistake").selectOption("blocked-executor");
  await page.getByRole("button", { name: "Switch to it" }).click();
  for (const tab of [page, second]) {
    await until("mistake", () => tab.locator("#mistake").inputValue(), (name) => name === "blocked-executor");
    await until("running", () => text(tab, ".arm.broken .state"), (words) => words === "running", 30_000);
  }
  await until("code", () => text(page, ".source.broken .where"), (words) => words.includes("blocked_executor.rs"));
  // This mistake stops the event loop too.
  const async = () => text(page, "#figures tbody tr:nth-child(2) td:nth-child(2)");
  await until("event loop", async, (words) => words.startsWith("no answer for") || words.startsWith("timed out"), HANG_MS);
}

async function dies(page, playground) {
  playground.kill("fixed-server");
  await until("failed", () => text(page, ".arm.fixed .state"), (words) => words === "failed");
  expect((await text(page, ".arm.fixed .messages .error")).length > 10, "the reason is shown");
  expect((await text(page, ".arm.broken .state")) === "running", "the other one runs on");
  await page.getByRole("button", { name: "Start fixed" }).click();
  await until("running", () => text(page, ".arm.fixed .state"), (words) => words === "running", 30_000);
  await until("the reason goes", () => text(page, ".arm.fixed .messages .error"), (words) => words === "");
}

async function crowds(browser, page, playground) {
  const tabs = [];
  for (let at = 0; at < 4; at += 1) {
    tabs.push(await browser.newPage());
    await tabs[at].goto(playground.url);
    await until("connection", () => text(tabs[at], "#connection"), (words) => words === "Connected");
  }
  await until("hint", () => text(page, "#pages"), (words) => words.includes("six connections"));
  for (const tab of tabs) await tab.close();
  await until("no hint", () => text(page, "#pages"), (words) => words === "");
}

async function stops(second) {
  expect((await text(second, "#run-state")) === "Both servers are running.", "the run goes on");
  await second.getByRole("button", { name: "Stop both" }).click();
  await until("stopped", () => text(second, "#run-state"), (words) => words.startsWith("Not started"), 30_000);
}

async function ends(page, playground) {
  const code = await playground.stop();
  await until("message", () => text(page, "#connection"), (words) => words === "Connection lost");
  expect(code === 0, `loadgen serve ended with ${code}`);
}
