"""Flask, for any WSGI server: it takes a request from its first byte to its last with one worker."""

import time

from flask import Flask, Response

app = Flask(__name__)


def tokens():
    for number in range(20):
        time.sleep(0.2)
        yield f'data: {{"content": "token {number} "}}\n\n'


@app.post("/chat")
def chat():
    return Response(tokens(), mimetype="text/event-stream")


@app.get("/health")
def health():
    return {"status": "ok"}
