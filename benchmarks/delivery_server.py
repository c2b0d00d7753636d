"""A server that takes events as Amplitude does and counts them, cheap enough not to be what is measured.

``python -m benchmarks.delivery_server ok|hanging`` prints its port. ``GET /until/N`` is answered once N
events have arrived.
"""

from __future__ import annotations

import asyncio
import sys

_LARGEST_REQUEST = 8 * 1024 * 1024
_ONE_EVENT = b'"event_type"'


class Server:
    """Answers each request with 200, or reads it and never answers."""

    def __init__(self, *, is_hanging: bool) -> None:
        self._is_hanging = is_hanging
        self._taken = 0
        self._more = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its other side closes it."""
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if head.startswith(b"get /until/"):
            await self._until(int(head.split(b" ")[1].rpartition(b"/")[2]))
        else:
            body = await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r")[0]))
            if self._is_hanging:
                await reader.read()
                return False
            await self._count(body.count(_ONE_EVENT))
        answer = b'{"code":200,"events_ingested":0,"payload_size_bytes":0,"server_upload_time":0}'
        kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(kind % len(answer) + answer)
        await writer.drain()
        return b"connection: close" not in head

    async def _count(self, events: int) -> None:
        async with self._more:
            self._taken += events
            self._more.notify_all()

    async def _until(self, events: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: self._taken >= events)


async def main(*, is_hanging: bool) -> None:
    server = Server(is_hanging=is_hanging)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=_LARGEST_REQUEST)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(is_hanging=sys.argv[1] == "hanging"))
