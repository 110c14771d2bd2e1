"""The WebSocket of one tab: frames and events out, a wish for finer history in."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from bimetal.api import message
from bimetal.api.fanout import Fanout, Tab
from bimetal.nouns.errors import BadInput, Error

GOING_AWAY = 1001
TRY_LATER = 1013


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a tab may ask for: the history of one device, drawn in so many stretches of time."""

    device: str
    stretches: int = 400


async def follow(socket: WebSocket) -> None:
    """Tell one tab everything new until it leaves or the door closes."""
    fanout: Fanout = socket.app.state.fanout
    tab = fanout.join()
    await socket.accept()
    if tab is None:
        await socket.close(TRY_LATER, "too many tabs are open")
        return
    turn = asyncio.Lock()
    tasks = {
        asyncio.create_task(_tell(socket, fanout, tab, turn)),
        asyncio.create_task(_hear(socket, fanout, turn)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if fanout.closed:
            await socket.close(GOING_AWAY)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        fanout.leave(tab)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(socket: WebSocket, fanout: Fanout, tab: Tab, turn: asyncio.Lock) -> None:
    while not fanout.closed:
        messages, frame = fanout.take_for(tab)
        async with turn:
            for text in messages:
                await socket.send_text(text.decode())
            if frame is not None:
                await socket.send_bytes(frame)
        await fanout.next_pulse()


async def _hear(socket: WebSocket, fanout: Fanout, turn: asyncio.Lock) -> None:
    while True:
        said = await socket.receive()
        if said["type"] == "websocket.disconnect":
            return
        try:
            answer = _answer(said.get("text") or "", fanout)
        except Error as error:
            answer = message.as_bytes({"type": "error", **message.refusal(error)[1]}).decode()
        async with turn:
            if isinstance(answer, str):
                await socket.send_text(answer)
            else:
                await socket.send_bytes(answer)


def _answer(text: str, fanout: Fanout) -> bytes | str:
    try:
        wish = msgspec.json.decode(text, type=Wish)
    except (msgspec.DecodeError, UnicodeError):
        raise BadInput(
            "that is no wish this door knows", hint='Send {"device": "pump-1", "stretches": 400}'
        ) from None
    return fanout.live.detail(wish.device, wish.stretches)
