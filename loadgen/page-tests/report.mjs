// The report of a real run, as a file without a server.

import path from "node:path";
import { pathToFileURL } from "node:url";

import { open } from "./browser.mjs";
import { expect, step } from "./expect.mjs";
import { checkLooks } from "./looks.mjs";
import { run } from "./programs.mjs";

const FILE = path.resolve("target/page-tests/report.html");

export async function checkReport() {
  await step("a fast lab writes a report", () => run(["lab", "pool-exhaustion", "--fast", "--html", FILE]));
  const url = pathToFileURL(FILE).href;
  const browser = await open((requested) => requested.split("#")[0] === url);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await step("it has the verdict and a chart", async () => {
      expect((await page.locator("h1").count()) === 1, "one title");
      expect((await page.locator("svg").count()) > 0, "a chart");
    });
    await step("it looks right", () => checkLooks(page, "report"));
    browser.assertClean();
  } finally {
    await browser.close();
  }
}
