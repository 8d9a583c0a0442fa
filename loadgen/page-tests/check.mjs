// Runs all checks, or those that are named: playground, report. Whatever was started is stopped at the end, also after a failure or Ctrl-C.

import { Failed } from "./expect.mjs";
import { checkPlayground } from "./playground.mjs";
import { stopAll } from "./programs.mjs";
import { checkReport } from "./report.mjs";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, async () => {
    await stopAll();
    process.exit(130);
  });
}

const CHECKS = { playground: checkPlayground, report: checkReport };
const named = process.argv.slice(2);

let failed = false;
for (const [name, check] of Object.entries(CHECKS).filter(([name]) => named.length === 0 || named.includes(name))) {
  console.log(name);
  try {
    await check();
  } catch (failure) {
    failed = true;
    console.error(failure instanceof Failed ? `  ${failure.message}` : failure);
  } finally {
    await stopAll();
  }
}
console.log(failed ? "test-page: failed" : "test-page: passed; the screenshots are in target/screens");
process.exit(failed ? 1 : 0);
