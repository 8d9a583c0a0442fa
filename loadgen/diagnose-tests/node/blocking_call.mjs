// Each event comes from a program that is waited for in the event loop. The processor is idle meanwhile.

import { execFileSync } from "node:child_process";

import { serve } from "./serve.mjs";

serve({ event: () => execFileSync("sh", ["-c", "sleep 0.1; echo token"]).toString().trim() });
