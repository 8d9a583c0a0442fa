// A headless browser whose pages may do nothing wrong: no error on the console, and no request to another host.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

import { chromium } from "playwright-core";

import { Failed } from "./expect.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the browser. `isAllowed(url)` is whether a page may request it. */
export async function open(isAllowed) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // In a container there is no other user to protect, and Chromium refuses its sandbox to root.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const faults = [];
  await context.addInitScript({ content: AXE });
  await context.route("**", (route) => {
    const url = route.request().url();
    if (isAllowed(url)) return route.continue();
    faults.push(`request to another host: ${url}`);
    return route.abort();
  });

  const newPage = async () => {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        faults.push(`console: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
    return page;
  };
  return {
    newPage,
    close: () => browser.close(),
    /** Fails if a page did something wrong since the last call. What matches `expected` was provoked. */
    assertClean(expected = /^$/) {
      const found = faults.splice(0).filter((fault) => !expected.test(fault));
      if (found.length > 0) throw new Failed(found.join("\n"));
    },
  };
}
