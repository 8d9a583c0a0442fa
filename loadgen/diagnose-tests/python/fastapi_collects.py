"""FastAPI behind a middleware or an endpoint that keeps chunks back."""

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
    # Starlette compresses this type, and compressed bytes wait in zlib until there are enough of them.
    return StreamingResponse(tokens(), media_type="application/x-ndjson")


@app.post("/collected")
async def collected():
    return PlainTextResponse("".join([token async for token in tokens()]))


@app.get("/health")
def health():
    return {"status": "ok"}
