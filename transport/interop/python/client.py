"""The client `websockets` of Python.

It prints the events of a connection and reads commands, one line of JSON each.
"""

import asyncio
import json
import sys

import websockets


def show(kind, **rest):
    print(json.dumps({"kind": kind, **rest}), flush=True)


async def pong(ws):
    await (await ws.ping(b"p"))
    show("pong")


async def obey(ws, lines):
    """Runs the commands from standard input."""
    pongs = []  # keeps references, so that the tasks are not garbage collected
    while line := await lines.readline():
        command = json.loads(line)
        if "send" in command:
            parts = command["send"]
            await ws.send(parts if len(parts) > 1 else parts[0])
        if "ping" in command:
            pongs.append(asyncio.create_task(pong(ws)))
        if "close" in command:
            await ws.close(command["close"])


async def main():
    target = json.loads(sys.argv[1])
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    ws = await websockets.connect(target["url"], subprotocols=target["protocols"], origin=target.get("origin"))
    show("open", protocol=ws.subprotocol)
    obeying = asyncio.create_task(obey(ws, lines))
    try:
        async for message in ws:
            show("text" if isinstance(message, str) else "binary", text=str(message))
    except websockets.ConnectionClosed:
        pass
    show("closed", code=ws.close_code, text=ws.close_reason)
    obeying.cancel()


asyncio.run(main())
