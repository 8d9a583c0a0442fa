// What a check expects, and how long it waits for it.

/** A check that failed. */
export class Failed extends Error {}

export function expect(holds, what) {
  if (!holds) throw new Failed(what);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `read()` returns what `holds` accepts, and returns it. */
export async function until(what, read, holds = Boolean, limitMs = 15_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Failed(`${what}: still ${JSON.stringify(value)} after ${limitMs / 1000} s`);
    await pause(100);
  }
}

/** Says what is checked, and how long it took. */
export async function step(what, act) {
  const begun = Date.now();
  process.stdout.write(`  ${what} ... `);
  try {
    const value = await act();
    console.log(`ok (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    return value;
  } catch (failure) {
    console.log("FAILED");
    throw failure;
  }
}
