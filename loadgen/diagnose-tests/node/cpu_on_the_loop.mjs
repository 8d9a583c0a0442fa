// Each event is signed in the event loop, which takes some milliseconds of the processor.

import { pbkdf2Sync } from "node:crypto";

import { serve } from "./serve.mjs";

serve({ event: (number) => pbkdf2Sync(`token ${number}`, "salt", 60_000, 32, "sha256").toString("hex") });
