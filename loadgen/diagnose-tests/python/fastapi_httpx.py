"""FastAPI with one httpx client for all streams of a vendor. CONNECTIONS in the environment sets its limit."""

import os

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

VENDOR = f"http://127.0.0.1:{os.environ['VENDOR_PORT']}/v1/chat/completions"
CHAT = {"model": "mock", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
# As it is by default: 100 connections, and an error after 5 s without one.
client = httpx.AsyncClient()
if "CONNECTIONS" in os.environ:
    limits = httpx.Limits(max_connections=int(os.environ["CONNECTIONS"]))
    client = httpx.AsyncClient(limits=limits, timeout=60)

app = FastAPI()


async def relay():
    async with client.stream("POST", VENDOR, json=CHAT) as answer:
        async for piece in answer.aiter_raw():
            yield piece


@app.post("/chat")
async def chat():
    return StreamingResponse(relay(), media_type="text/event-stream")


@app.get("/health")
def health():
    return {"status": "ok"}
