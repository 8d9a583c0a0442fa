"""FastAPI with limits that people set themselves. No check passes them, so only the streams show them."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()
executor = ThreadPoolExecutor(max_workers=12)
places = asyncio.Semaphore(20)


def events(tokens):
    return StreamingResponse(tokens, media_type="text/event-stream")


async def tokens():
    async with places:
        for number in range(20):
            await asyncio.sleep(0.2)
            yield f'data: {{"content": "token {number} "}}\n\n'


@app.post("/semaphore")
async def semaphore():
    return events(tokens())


@app.post("/rejects")
async def rejects():
    if places.locked():
        raise HTTPException(429, "too many streams", headers={"retry-after": "1"})
    return events(tokens())


@app.post("/executor")
async def executor_thread_a_stream():
    queue, loop = asyncio.Queue(), asyncio.get_running_loop()

    def read():
        for number in range(20):
            time.sleep(0.2)
            loop.call_soon_threadsafe(queue.put_nowait, f'data: {{"content": "token {number} "}}\n\n')
        loop.call_soon_threadsafe(queue.put_nowait, None)

    async def relay():
        loop.run_in_executor(executor, read)
        while (token := await queue.get()) is not None:
            yield token

    return events(relay())


@app.get("/health")
async def health():
    return {"status": "ok"}
