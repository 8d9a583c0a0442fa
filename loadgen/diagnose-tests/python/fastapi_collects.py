"""FastAPI with a compressed stream, and with an endpoint that collects its answer."""

import asyncio

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse, StreamingResponse

app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=500)


async def tokens():
    for number in range(20):
        await asyncio.sleep(0.1)
        yield f'{{"content": "token {number} "}}\n'


@app.post("/compressed")
async def compressed():
    # Starlette compresses this type, and sends each chunk at once all the same.
    return StreamingResponse(tokens(), media_type="application/x-ndjson")


@app.post("/collected")
async def collected():
    return PlainTextResponse("".join([token async for token in tokens()]))


@app.get("/health")
def health():
    return {"status": "ok"}
