"""FastAPI, with streams written in five ways. A health check that is `def` runs in the thread pool, too."""

import asyncio
import os
import time

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
TOKENS, GAP = int(os.environ.get("TOKENS", "20")), float(os.environ.get("GAP", "0.2"))


def slow_tokens():
    """What a blocking client of a vendor does: each token is waited for."""
    for number in range(TOKENS):
        time.sleep(GAP)
        yield f'data: {{"content": "token {number} "}}\n\n'


def events(tokens):
    return StreamingResponse(tokens, media_type="text/event-stream")


@app.post("/thread-a-chunk")
def thread_a_chunk():
    return events(slow_tokens())  # Starlette takes a thread for each step of a generator that is not async.


@app.post("/thread-a-stream")
async def thread_a_stream():
    queue, loop = asyncio.Queue(), asyncio.get_running_loop()

    def read():
        for token in slow_tokens():
            loop.call_soon_threadsafe(queue.put_nowait, token)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    async def relay():
        reader = asyncio.ensure_future(anyio.to_thread.run_sync(read))
        while (token := await queue.get()) is not None:
            yield token
        await reader

    return events(relay())


@app.post("/thread-until-the-answer")
def thread_until_the_answer():
    time.sleep(2)  # A search for documents, say: the thread is held until the stream begins.
    return events(async_tokens())


async def async_tokens():
    for number in range(TOKENS):
        await asyncio.sleep(GAP)
        yield f'data: {{"content": "token {number} "}}\n\n'


@app.post("/async")
async def asynchronous():
    return events(async_tokens())


async def blocking_tokens():
    for token in slow_tokens():
        yield token


@app.post("/blocked")
async def blocked():
    return events(blocking_tokens())


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/health-async")
async def health_async():
    return {"status": "ok"}
