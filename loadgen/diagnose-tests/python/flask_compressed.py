"""Flask whose answers are compressed: what is not flushed waits in the compressor until there is enough for a block."""

import time
import zlib

from flask import Flask, Response, request

app = Flask(__name__)


@app.after_request
def compress(response):
    if response.is_streamed and "gzip" in request.headers.get("accept-encoding", ""):
        response.response = compressed(response.response)
        response.headers["content-encoding"] = "gzip"
    return response


def compressed(pieces):
    compressor = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield compressor.compress(piece.encode())  # flush(zlib.Z_SYNC_FLUSH) is missing.
    yield compressor.flush()


@app.post("/chat")
def chat():
    return Response(tokens(), mimetype="text/event-stream")


def tokens():
    for number in range(20):
        time.sleep(0.1)
        yield f'data: {{"content": "token {number} "}}\n\n'


@app.get("/health")
def health():
    return {"status": "ok"}
