"""Checks that OpenAI's Python client works against mock-llm unmodified, errors included.

Usage: check.py BASE_URL KEY. The mock must be started with that key and --strict-models.
Exits with 1 when anything differs, and says what.
"""

import sys

import openai

MODEL = "mock-llm"
MESSAGES = [{"role": "user", "content": "Say something."}]
TOKENS = 40

base_url, key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
failures = []


def check(what, condition, seen=""):
    print(f"{'ok' if condition else 'NOT OK'}  {what}{'' if condition else f': {seen!r}'}")
    if not condition:
        failures.append(what)


def create(client=client, headers=None, **fields):
    fields = {"model": MODEL, "messages": MESSAGES, **fields}
    return client.chat.completions.create(**fields, extra_headers={"X-Mock-Tokens": str(TOKENS), **(headers or {})})


def expect(what, error_type, call):
    try:
        seen = call()
    except Exception as error:
        check(f"{what} is a {error_type.__name__}", type(error) is error_type, error)
        return error
    check(f"{what} is a {error_type.__name__}", False, seen)
    return None


def fault(rule, **fields):
    return create(headers={"X-Mock-Fault": rule}, **fields)


whole = create()
text = whole.choices[0].message.content
check("a whole answer has text", len(text) > TOKENS, text)
check("a whole answer ends with stop", whole.choices[0].finish_reason == "stop", whole)
check("a whole answer has its usage", whole.usage.completion_tokens == TOKENS, whole.usage)

chunks = list(create(stream=True, stream_options={"include_usage": True}))
deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
check("a stream begins with the role", deltas[0].role == "assistant", deltas[0])
check("a stream says the same as a whole answer", "".join(delta.content or "" for delta in deltas) == text, deltas)
check("a stream ends with stop", chunks[-2].choices[0].finish_reason == "stop", chunks[-2])
check("the usage comes last, with no choice", not chunks[-1].choices, chunks[-1])
check("the usage counts the tokens", chunks[-1].usage.completion_tokens == TOKENS, chunks[-1].usage)
check("no other chunk has it", all(chunk.usage is None for chunk in chunks[:-1]), chunks)

short = create(max_tokens=3)
check("max_tokens ends with length", short.choices[0].finish_reason == "length", short)
check("max_tokens is kept", short.usage.completion_tokens == 3, short.usage)
check("models are listed", [model.id for model in client.models.list()] == [MODEL])

expect("max_tokens 0", openai.BadRequestError, lambda: create(max_tokens=0))
wrong_key = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
error = expect("a wrong key", openai.AuthenticationError, lambda: create(wrong_key))
check("its code is invalid_api_key", error and error.code == "invalid_api_key", error)
error = expect("an unknown model", openai.NotFoundError, lambda: create(model="gpt-none"))
check("its code is model_not_found", error and error.code == "model_not_found", error)
error = expect("status 429", openai.RateLimitError, lambda: fault("status=429;retry-after=7"))
check("its Retry-After is there", error and error.response.headers["retry-after"] == "7", error)
expect("status 500", openai.InternalServerError, lambda: fault("status=500"))
expect("status 503 of a stream", openai.InternalServerError, lambda: fault("status=503", stream=True))
expect("an error in a stream", openai.APIError, lambda: list(fault("error-event-after=3", stream=True)))
expect("a reset", openai.APIConnectionError, lambda: fault("reset"))

retrying = openai.OpenAI(base_url=base_url, api_key=key, max_retries=2)
headers = {"X-Mock-Fault": "status=500;first=2", "X-Request-ID": "python-retries"}
check("two failures are retried", create(retrying, headers).choices[0].message.content == text)

print(f"openai {openai.__version__} for Python: {len(failures)} differences")
sys.exit(1 if failures else 0)
