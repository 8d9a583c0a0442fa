"""FastAPI whose streams keep a database connection: the session of a `yield` dependency lives until the stream ends."""

import asyncio
import os
import tempfile

from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

# The pool's defaults: 5 connections, 10 more when those are taken, and an error after 30 s without one.
engine = create_engine(f"sqlite:///{tempfile.mkdtemp()}/{os.getpid()}.db", connect_args={"check_same_thread": False})
app = FastAPI()


def session():
    with Session(engine) as open_session:
        yield open_session


def user_of(database: Session = Depends(session)):
    return database.execute(text("select 'somebody'")).scalar()


async def tokens(database):
    for number in range(20):
        await asyncio.sleep(0.2)
        yield f'data: {{"content": "token {number} "}}\n\n'
    database.execute(text("select 'the conversation is stored'"))


@app.post("/chat")
async def chat(user: str = Depends(user_of), database: Session = Depends(session)):
    return StreamingResponse(tokens(database), media_type="text/event-stream")


@app.get("/health-database")
def health_database(database: Session = Depends(session)):
    return {"status": database.execute(text("select 'ok'")).scalar()}


@app.get("/health")
def health():
    return {"status": "ok"}
