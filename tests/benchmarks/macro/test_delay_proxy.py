"""The delay proxy delays by its clock, merges no waits, and changes nothing that passes."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from delay_proxy import HOST, DelayProxy, Lane, Mark, cut
from far_away import far_away

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
ROUND_TRIP = 40.0
HALF = ROUND_TRIP / 2


class _Hurrying(selectors.SelectSelector):
    """Instead of waiting it puts the clock forward; what the sockets have to say comes first."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            return super().select(None)
        self.now += timeout
        return []


class _HurryingLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes by only while it has nothing to do."""

    def __init__(self) -> None:
        self._clock = _Hurrying()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run it on a hurrying loop."""
    loop = _HurryingLoop()
    try:
        loop.run_until_complete(test)
    finally:
        loop.close()


@asynccontextmanager
async def proxied(handler: Handler, round_trip: float = ROUND_TRIP) -> AsyncIterator[DelayProxy]:
    """A proxy in front of a server that does this with each connection, and comes to its end with it."""
    handling: list[asyncio.Task[None]] = []

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.append(asyncio.ensure_future(_handled(handler, reader, writer)))

    server = await asyncio.start_server(handle, HOST, 0)
    proxy = DelayProxy(server.sockets[0].getsockname()[1], round_trip)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()
        await asyncio.gather(*handling)
        assert not proxy._passages, "nothing is kept of what is over"
        await asyncio.sleep(0)  # transports close in the loop's next turn


async def _handled(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await handler(reader, writer)
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what is said, to the end."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def now() -> float:
    return asyncio.get_running_loop().time()


# -- the schedule -----------------------------------------------------------------------------------------


class _Target:
    """Notes what arrives, and when."""

    def __init__(self, loop: _HurryingLoop) -> None:
        self._loop = loop
        self.got: list[tuple[float, object]] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.got.append((self._loop.time(), data))

    def write_eof(self) -> None:
        self.got.append((self._loop.time(), Mark.END))


def test_each_piece_arrives_in_order_one_way_after_it_set_out_and_no_wait_is_added_to_another() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _HurryingLoop)
        target = _Target(loop)
        lane = Lane(loop, HALF, opens_at=0.0)
        lane.lead_to(target)  # type: ignore[arg-type] # has what a lane uses of a transport
        for number in range(10):  # all are under way at the same time, some from the same moment
            lane.put(bytes([number]))
            lane.put(bytes([number, number]))
            await asyncio.sleep(1.0)
        lane.put(Mark.END)
        await asyncio.sleep(2 * HALF)
        pieces = [piece for number in range(10) for piece in (bytes([number]), bytes([number, number]))]
        assert [piece for _, piece in target.got] == [*pieces, Mark.END]
        arrived = [at for at, _ in target.got]
        assert arrived == pytest.approx([*(HALF + number // 2 for number in range(20)), HALF + 10.0])

    run(scene())


def test_what_is_said_before_the_lane_opens_sets_out_when_it_does() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _HurryingLoop)
        target = _Target(loop)
        lane = Lane(loop, HALF, opens_at=ROUND_TRIP)
        lane.put(b"early")  # before it is known where it leads, too
        lane.lead_to(target)  # type: ignore[arg-type] # has what a lane uses of a transport
        await asyncio.sleep(2 * ROUND_TRIP)
        assert target.got == [(pytest.approx(ROUND_TRIP + HALF), b"early")]

    run(scene())


def test_an_answer_comes_one_round_trip_after_its_question_and_a_connection_costs_one_more() -> None:
    async def scene() -> None:
        async with proxied(echo) as proxy:
            reader, writer = await asyncio.open_connection(HOST, proxy.port)
            begin = now()
            for trips in (2, 3, 4):  # one is the greeting of TCP
                writer.write(b"question")
                assert await reader.readexactly(8) == b"question"
                assert now() - begin == pytest.approx(trips * ROUND_TRIP)
            writer.close()
            assert (proxy.counts.connections, proxy.counts.round_trips) == (1, 3)
            assert (proxy.counts.bytes_up, proxy.counts.bytes_down) == (24, 24)

    run(scene())


def test_what_is_said_in_one_go_costs_one_round_trip() -> None:
    async def scene() -> None:
        async with proxied(echo) as proxy:
            reader, writer = await asyncio.open_connection(HOST, proxy.port)
            for _ in range(50):
                writer.write(b"x" * 1000)
                await writer.drain()
            assert await reader.readexactly(50_000) == b"x" * 50_000
            writer.close()
            assert proxy.counts.round_trips == 1

    run(scene())


# -- what passes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("round_trip", [0.0, ROUND_TRIP], ids=["at once", "delayed"])
def test_bytes_are_the_same_both_ways_however_many(round_trip: float) -> None:
    sent = bytes(range(256)) * 8_000  # 2 MB: several times what sockets hold

    async def scene() -> None:
        async with proxied(echo, round_trip) as proxy:
            reader, writer = await asyncio.open_connection(HOST, proxy.port)

            async def say() -> None:
                writer.write(sent)
                await writer.drain()
                writer.write_eof()

            saying = asyncio.ensure_future(say())
            assert await reader.read() == sent
            await saying
            writer.close()
            assert (proxy.counts.bytes_up, proxy.counts.bytes_down) == (len(sent), len(sent))

    run(scene())


def test_a_client_that_has_said_all_still_hears() -> None:
    async def after_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.read()  # until the client's end
        writer.write(b"you said " + heard)
        await writer.drain()
        await asyncio.sleep(5 * ROUND_TRIP)
        writer.write(b", and that was long ago")

    async def scene() -> None:
        async with proxied(after_the_end) as proxy:
            reader, writer = await asyncio.open_connection(HOST, proxy.port)
            writer.write(b"yes")
            writer.write_eof()
            assert await reader.read() == b"you said yes, and that was long ago"
            writer.close()

    run(scene())


def test_a_server_that_has_said_all_still_hears() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def says_its_word_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        writer.write_eof()
        await heard.put(await reader.read())

    async def scene() -> None:
        async with proxied(says_its_word_first) as proxy:
            reader, writer = await asyncio.open_connection(HOST, proxy.port)
            assert await reader.read() == b"welcome"
            writer.write(b"thanks")
            writer.write_eof()
            assert await heard.get() == b"thanks"
            writer.close()

    run(scene())


def test_a_connection_that_is_cut_on_one_side_is_cut_on_the_other_one_way_later() -> None:
    cut_at: asyncio.Queue[float] = asyncio.Queue()

    async def until_it_is_cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await cut_at.put(now())

    async def scene() -> None:
        async with proxied(until_it_is_cut) as proxy:
            _, writer = await asyncio.open_connection(HOST, proxy.port)
            await asyncio.sleep(5 * ROUND_TRIP)
            begin = now()
            cut(writer.transport)
            assert await cut_at.get() - begin == pytest.approx(HALF)

    run(scene())


def test_where_nobody_listens_the_client_finds_its_connection_cut() -> None:
    async def scene() -> None:
        with socket.socket() as nobody:
            nobody.bind((HOST, 0))
            proxy = DelayProxy(nobody.getsockname()[1], 0.0)
            await proxy.start()
            reader, writer = await asyncio.open_connection(HOST, proxy.port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            await proxy.stop()

    run(scene())


def test_many_connections_at_once_wait_beside_each_other_and_keep_apart() -> None:
    async def ask(port: int, number: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for question in range(5):
            said = f"{number}:{question}".encode()
            writer.write(said)
            assert await reader.readexactly(len(said)) == said
        writer.close()

    async def scene() -> None:
        async with proxied(echo) as proxy:
            begin = now()
            await asyncio.gather(*(ask(proxy.port, number) for number in range(100)))
            assert now() - begin < 10 * 6 * ROUND_TRIP  # not 100 times six of them
            assert proxy.counts.connections == 100

    run(scene())


def test_in_a_process_of_its_own_it_tells_its_port_and_its_counts() -> None:
    with (
        socket.create_server((HOST, 0)) as server,
        far_away(server.getsockname()[1], round_trip_ms=2.0) as proxy,
    ):
        with socket.create_connection((HOST, proxy.port), timeout=30) as client:
            client.sendall(b"question")
            accepted, _ = server.accept()
            with accepted:
                assert accepted.recv(8, socket.MSG_WAITALL) == b"question"
                accepted.sendall(b"answer")
                assert client.recv(6, socket.MSG_WAITALL) == b"answer"
        counts = proxy.counts()
        assert (counts.connections, counts.round_trips) == (1, 1)
        assert (counts.bytes_up, counts.bytes_down) == (8, 6)
