// A server that does nothing wrong: it waits for the next token without holding anything.

import { serve } from "./serve.mjs";

serve({});
