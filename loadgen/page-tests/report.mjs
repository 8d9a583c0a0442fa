// Reports of real runs, as files without a server.

import path from "node:path";
import { pathToFileURL } from "node:url";

import { open } from "./browser.mjs";
import { expect, step } from "./expect.mjs";
import { checkLooks } from "./looks.mjs";
import { run } from "./programs.mjs";

const LAB = path.resolve("target/page-tests/report.html");
const DIAGNOSIS = path.resolve("target/page-tests/diagnosis.html");
const STORED = path.resolve("loadgen/tests/results/diagnose.json");

export async function checkReport() {
  await step("a fast lab writes a report", () => run(["lab", "pool-exhaustion", "--fast", "--html", LAB]));
  await checkPage(LAB, "report");
  await step("a stored diagnosis becomes a report", () => run(["report", STORED, "--html", DIAGNOSIS]));
  await checkPage(DIAGNOSIS, "diagnosis");
}

async function checkPage(file, name) {
  const url = pathToFileURL(file).href;
  const browser = await open((requested) => requested.split("#")[0] === url);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await step("it has the verdict and a chart", async () => {
      expect((await page.locator("h1").count()) === 1, "one title");
      expect((await page.locator("svg").count()) > 0, "a chart");
    });
    await step("it looks right", () => checkLooks(page, name));
    browser.assertClean();
  } finally {
    await browser.close();
  }
}
