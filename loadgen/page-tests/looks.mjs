// How a page looks: at the widths of a phone, a laptop and a projector, light and dark.

import { mkdirSync } from "node:fs";

import { Failed, expect } from "./expect.mjs";

const SCREENS = "target/screens";
const SIZES = [[390, 844], [1280, 800], [1920, 1080]];
const SCHEMES = ["light", "dark"];

/** What axe-core finds and calls this must be mended. */
const SERIOUS = ["serious", "critical"];

/** Checks a page at each size in each scheme, and leaves a screenshot of each as `NAME-WIDTH-SCHEME.png`. */
export async function checkLooks(page, name) {
  mkdirSync(SCREENS, { recursive: true });
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      const where = `${name} at ${width} px, ${colorScheme}`;
      await assertFits(page, where);
      await page.screenshot({ path: `${SCREENS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      if (width !== 1920) await assertAccessible(page, where);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function assertFits(page, where) {
  const [needed, there] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [scrollWidth, clientWidth];
  });
  expect(needed <= there, `${where}: scrolls sideways: ${needed} px of content in ${there} px`);
}

async function assertAccessible(page, where) {
  const violations = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations);
  for (const { impact, id } of violations.filter(({ impact }) => !SERIOUS.includes(impact))) {
    console.log(`\n    ${where}: axe-core: ${impact}: ${id}`);
  }
  const found = violations.filter(({ impact }) => SERIOUS.includes(impact));
  const words = found.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`).join("\n")}`);
  if (words.length > 0) throw new Failed(`${where}: axe-core:\n${words.join("\n")}`);
}
