// Each event is signed in libuv's pool of four threads, and so is what the health check says. The event loop is free; the
// threads need the processor.

import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

import { serve } from "./serve.mjs";

const sign = async (text) => (await promisify(pbkdf2)(text, "salt", 60_000, 32, "sha256")).toString("hex");

serve({ event: (number) => sign(`token ${number}`), health: () => sign("ok") });
