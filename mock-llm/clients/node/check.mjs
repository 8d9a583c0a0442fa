// Checks that OpenAI's Node client works against mock-llm unmodified, errors included.
//
// Usage: check.mjs BASE_URL KEY. The mock must be started with that key and --strict-models.
// Exits with 1 when anything differs, and says what.

import OpenAI from "openai";
import { VERSION } from "openai/version";

const MODEL = "mock-llm";
const TOKENS = 40;
const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
let failures = 0;

function check(what, condition, seen) {
  console.log(`${condition ? "ok" : "NOT OK"}  ${what}${condition ? "" : `: ${JSON.stringify(seen)}`}`);
  if (!condition) failures += 1;
}

function create(fields = {}, headers = {}, by = client) {
  const body = { model: MODEL, messages: [{ role: "user", content: "Say something." }], ...fields };
  return by.chat.completions.create(body, { headers: { "X-Mock-Tokens": `${TOKENS}`, ...headers } });
}

async function all(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

async function expectError(what, type, call) {
  try {
    check(`${what} is a ${type.name}`, false, await call());
  } catch (error) {
    check(`${what} is a ${type.name}`, error.constructor === type, `${error.constructor.name}: ${error.message}`);
    return error;
  }
}

const fault = (rule, fields) => create(fields, { "X-Mock-Fault": rule });

const whole = await create();
const text = whole.choices[0].message.content;
check("a whole answer has text", text.length > TOKENS, text);
check("a whole answer ends with stop", whole.choices[0].finish_reason === "stop", whole);
check("a whole answer has its usage", whole.usage.completion_tokens === TOKENS, whole.usage);

const chunks = await all(create({ stream: true, stream_options: { include_usage: true } }));
const deltas = chunks.filter((chunk) => chunk.choices.length > 0).map((chunk) => chunk.choices[0].delta);
const last = chunks.at(-1);
check("a stream begins with the role", deltas[0].role === "assistant", deltas[0]);
check("a stream says the same as a whole answer", deltas.map((delta) => delta.content ?? "").join("") === text, deltas);
check("a stream ends with stop", chunks.at(-2).choices[0].finish_reason === "stop", chunks.at(-2));
check("the usage comes last, with no choice", last.choices.length === 0, last);
check("the usage counts the tokens", last.usage.completion_tokens === TOKENS, last.usage);
check("no other chunk has it", chunks.slice(0, -1).every((chunk) => chunk.usage === null), chunks);

const short = await create({ max_tokens: 3 });
check("max_tokens ends with length", short.choices[0].finish_reason === "length", short);
check("max_tokens is kept", short.usage.completion_tokens === 3, short.usage);
const models = await client.models.list();
check("models are listed", models.data.length === 1 && models.data[0].id === MODEL, models.data);

await expectError("max_tokens 0", OpenAI.BadRequestError, () => create({ max_tokens: 0 }));
const wrongKey = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
let error = await expectError("a wrong key", OpenAI.AuthenticationError, () => create({}, {}, wrongKey));
check("its code is invalid_api_key", error?.code === "invalid_api_key", error);
error = await expectError("an unknown model", OpenAI.NotFoundError, () => create({ model: "gpt-none" }));
check("its code is model_not_found", error?.code === "model_not_found", error);
error = await expectError("status 429", OpenAI.RateLimitError, () => fault("status=429;retry-after=7"));
check("its Retry-After is there", error?.headers.get("retry-after") === "7", error);
await expectError("status 500", OpenAI.InternalServerError, () => fault("status=500"));
await expectError("status 503 of a stream", OpenAI.InternalServerError, () => fault("status=503", { stream: true }));
await expectError("an error in a stream", OpenAI.APIError, () => all(fault("error-event-after=3", { stream: true })));
await expectError("a reset", OpenAI.APIConnectionError, () => fault("reset"));

const retrying = new OpenAI({ baseURL, apiKey, maxRetries: 2 });
const headers = { "X-Mock-Fault": "status=500;first=2", "X-Request-ID": "node-retries" };
check("two failures are retried", (await create({}, headers, retrying)).choices[0].message.content === text);

console.log(`openai ${VERSION} for Node: ${failures} differences`);
process.exit(failures > 0 ? 1 : 0);
