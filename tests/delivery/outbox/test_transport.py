"""Requests on real sockets: kept open, through proxies, over TLS, and never without an end."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.delivery.outbox import transport as transport_module
from amplitude_ai_integrations.delivery.outbox.transport import ERRORS, Transport, endpoints
from amplitude_ai_integrations.delivery.outbox.verdicts import Answer

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"code":200}'
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


class Server:
    """Answers each request of a connection with the next of some scripts; the last one stays."""

    def __init__(
        self,
        *scripts: bytes | Callable[[socket.socket], None],
        family: int = socket.AF_INET,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.closes_idle = False
        self._scripts = list(scripts)
        self._tls = tls
        self._open: list[socket.socket] = []
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._listener = socket.socket(family)
        self._listener.bind((host, 0))
        self._listener.listen()
        self.port = int(self._listener.getsockname()[1])
        self.address = f"[{host}]:{self.port}" if family == socket.AF_INET6 else f"{host}:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close_open()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def close_open(self) -> None:
        """Close what is open now, as servers do with what is idle."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(raw, server_side=True)
                self._open.append(connection)
            with connection.makefile("rb") as stream:
                while head := read_head(stream):
                    self.heads.append(head)
                    self.bodies.append(stream.read(length_in(head)))
                    script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                    if callable(script):
                        script(connection)
                        return
                    connection.sendall(script)
                    if self.closes_idle:
                        return
        except (OSError, ValueError):  # what came was no HTTP
            pass
        finally:
            connection.close()
            raw.close()

    def request_lines(self) -> list[bytes]:
        """Return the first lines of the requests."""
        return [head.split(b"\r\n")[0] for head in self.heads]


def read_head(stream: BinaryIO) -> bytes:
    lines: list[bytes] = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join(lines)


def length_in(head: bytes) -> int:
    return int(dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:]).get(b"content-length", 0))


def header(head: bytes, name: bytes) -> bytes | None:
    return dict(line.split(b": ", 1) for line in head.splitlines()[1:]).get(name)


Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers for the length of a test."""
    servers: list[Server] = []

    def make(*scripts: Any, **how: Any) -> Server:
        servers.append(Server(*(scripts or (OK,)), **how))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def reach() -> Iterator[Callable[..., Transport]]:
    """Make transports that are closed at the end."""
    made: list[Transport] = []

    def make(url: str, large: str | None = None, timeout: float = 5.0) -> Transport:
        transport = Transport(url, large or url)
        transport.timeout = timeout
        made.append(transport)
        return transport

    yield make
    for each in made:
        each.close()


Reach = Callable[..., Transport]


def post(transport: Transport, body: bytes = b"{}", **how: Any) -> Answer:
    return transport.post([body], **how)


@pytest.mark.parametrize(
    ("config", "small", "large"),
    [
        ({}, "https://api2.amplitude.com/2/httpapi", "https://api2.amplitude.com/batch"),
        (
            {"server_zone": "EU"},
            "https://api.eu.amplitude.com/2/httpapi",
            "https://api.eu.amplitude.com/batch",
        ),
        ({"use_batch": True}, "https://api2.amplitude.com/batch", "https://api2.amplitude.com/batch"),
        (
            {"use_batch": True, "server_zone": "EU"},
            "https://api.eu.amplitude.com/batch",
            "https://api.eu.amplitude.com/batch",
        ),
        ({"server_url": "http://h:1"}, "http://h:1/2/httpapi", "http://h:1/batch"),
        ({"server_url": "http://h:1/"}, "http://h:1/2/httpapi", "http://h:1/batch"),
        ({"server_url": "http://h:1", "use_batch": True}, "http://h:1/batch", "http://h:1/batch"),
        ({"server_url": "http://h:1", "server_zone": "EU"}, "http://h:1/2/httpapi", "http://h:1/batch"),
        ({"server_url": "http://h/p/2/httpapi"}, "http://h/p/2/httpapi", "http://h/p/batch"),
        ({"server_url": "http://h/p/2/httpapi/"}, "http://h/p/2/httpapi/", "http://h/p/batch"),
        ({"server_url": "http://h/mine"}, "http://h/mine", "http://h/mine"),
        ({"server_url": "http://h/mine?a=1"}, "http://h/mine?a=1", "http://h/mine?a=1"),
        ({"server_url": "http://[::1]:8"}, "http://[::1]:8/2/httpapi", "http://[::1]:8/batch"),
    ],
)
def test_where_events_go(config: dict[str, Any], small: str, large: str) -> None:
    assert endpoints(AIConfig(**config)) == (small, large)
    assert Transport(small, large).has_large is (small != large)


def test_one_connection_serves_all_requests(start: Start, reach: Reach) -> None:
    server = start()
    transport = reach(f"http://{server.address}/2/httpapi", f"http://{server.address}/batch")
    for number in range(20):
        answer = post(transport, b"%d" % number, is_large=number == 7)
        assert (answer.status, answer.body) == (200, b'{"code":200}')
    assert server.connections == 1
    assert server.bodies == [b"%d" % number for number in range(20)]
    assert [b"/batch" in line for line in server.request_lines()] == [number == 7 for number in range(20)]
    assert header(server.heads[0], b"Content-Type") == b"application/json"
    assert header(server.heads[0], b"Host") == server.address.encode()
    agent = header(server.heads[0], b"User-Agent")
    assert agent is not None
    assert agent.startswith(b"amplitude-ai-integrations/")


def test_a_connection_that_the_server_closed_while_it_was_idle_is_opened_again_at_once(
    start: Start, reach: Reach
) -> None:
    server = start()
    server.closes_idle = True
    transport = reach(f"http://{server.address}/")
    for number in range(5):
        assert post(transport, b"%d" % number).status == 200
        time.sleep(0.02)  # until the other side has closed
    assert server.connections == 5
    assert server.bodies == [b"0", b"1", b"2", b"3", b"4"]


def test_a_fresh_connection_that_fails_is_not_tried_twice(start: Start, reach: Reach) -> None:
    server = start(lambda connection: connection.close())
    transport = reach(f"http://{server.address}/")
    with pytest.raises(ConnectionError):
        post(transport)
    assert server.connections == 1


def test_a_connection_that_fails_twice_is_given_up(start: Start, reach: Reach) -> None:
    server = start(OK, lambda connection: connection.close())
    transport = reach(f"http://{server.address}/")
    post(transport)
    with pytest.raises(ConnectionError):
        post(transport)
    assert server.connections == 2
    assert len(server.heads) == 3


def test_a_server_that_wants_no_more_is_asked_on_another_connection(start: Start, reach: Reach) -> None:
    server = start(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    transport = reach(f"http://{server.address}/")
    assert [post(transport).status for _ in range(3)] == [200] * 3
    assert server.connections == 3


def test_a_server_that_does_not_listen_fails(reach: Reach) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ERRORS):
            post(reach(f"http://127.0.0.1:{taken.getsockname()[1]}/"))


@pytest.mark.parametrize("name", ["nowhere.invalid", "bücher.invalid", "x" * 80 + ".invalid", "a..invalid"])
def test_a_server_whose_name_is_not_known_fails(reach: Reach, name: str) -> None:
    with pytest.raises(ERRORS):
        post(reach(f"http://{name}:9/"))


def hang(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def test_a_server_that_says_nothing_is_given_up(start: Start, reach: Reach) -> None:
    server = start(OK, hang)
    transport = reach(f"http://{server.address}/", timeout=5.0)
    post(transport)
    transport.timeout = 0.1  # holds for a connection that is open, too
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        post(transport)
    assert time.monotonic() - began < 5.0
    assert server.connections == 1


def test_a_server_that_reads_nothing_is_given_up(reach: Reach) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        transport = reach(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.2)
        with pytest.raises(TimeoutError):
            post(transport, b"x" * 30_000_000)


def trickle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.01)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


def flood_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")


@pytest.mark.parametrize("script", [trickle, flood, flood_chunks])
def test_an_answer_without_an_end_is_given_up(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch, script: Any
) -> None:
    monkeypatch.setattr(transport_module, "_WHOLE", 0.2 if script is trickle else 30.0)
    sent: list[int] = []

    class Counting:
        def __init__(self, connection: socket.socket) -> None:
            self.connection = connection

        def sendall(self, data: bytes) -> None:
            self.connection.sendall(data)
            sent.append(len(data))

    server = start(lambda connection: script(Counting(connection)), OK)
    transport = reach(f"http://{server.address}/")
    with pytest.raises(TimeoutError):
        post(transport)
    assert sum(sent) < 32_000_000  # of which it has kept the first few
    assert post(transport).status == 200
    assert server.connections == 2


ODD = {
    "nothing": b"",
    "no HTTP": b"hello\r\n\r\n",
    "no status": b"HTTP/1.1 \r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a long line": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "many lines": b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    "a chunk that is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_answer_fails_and_the_next_request_is_well(start: Start, reach: Reach, odd: str) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(ODD[odd])

    server = start(say, OK)
    transport = reach(f"http://{server.address}/")
    with pytest.raises(ERRORS):
        post(transport)
    assert post(transport).status == 200


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
            b'{"a":1}',
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\n{}\r\n0\r\nTrailer: x\r\n\r\n",
            b"{}",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_answers_of_each_length_are_read_whole_and_the_connection_kept(
    start: Start, reach: Reach, said: bytes, body: bytes
) -> None:
    server = start(said)
    transport = reach(f"http://{server.address}/")
    assert [post(transport).body for _ in range(3)] == [body] * 3
    assert server.connections == 1


def test_an_answer_that_ends_with_its_connection_is_read_whole(start: Start, reach: Reach) -> None:
    server = start(lambda connection: connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"code":200}'))
    transport = reach(f"http://{server.address}/")
    assert post(transport).body == b'{"code":200}'


def test_header_names_are_in_lower_case(start: Start, reach: Reach) -> None:
    server = start(b"HTTP/1.1 429 No\r\nRETRY-After: 7\r\nContent-Length: 0\r\n\r\n")
    assert post(reach(f"http://{server.address}/")).headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(start: Start, reach: Reach, status: int) -> None:
    elsewhere = start()
    server = start(
        b"HTTP/1.1 %d X\r\nLocation: http://%s/\r\nContent-Length: 0\r\n\r\n"
        % (status, elsewhere.address.encode())
    )
    assert post(reach(f"http://{server.address}/")).status == status
    assert elsewhere.connections == 0


def test_the_sixth_version_of_addresses_works(start: Start, reach: Reach) -> None:
    server = start(family=socket.AF_INET6)
    transport = reach(f"http://{server.address}/2/httpapi")
    assert post(transport).status == 200
    assert header(server.heads[0], b"Host") == server.address.encode()
    assert transport.server == server.address


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/a/b?c=d", b"POST /a/b?c=d HTTP/1.1"),
        ("", b"POST / HTTP/1.1"),
        ("/a%20b", b"POST /a%20b HTTP/1.1"),
        ("/caf%C3%A9", b"POST /caf%C3%A9 HTTP/1.1"),
        ("/café", b"POST /caf%C3%A9 HTTP/1.1"),
        ("/a b", b"POST /a%20b HTTP/1.1"),
    ],
)
def test_paths_and_queries_go_as_they_are_or_escaped(
    start: Start, reach: Reach, path: str, line: bytes
) -> None:
    server = start()
    post(reach(f"http://{server.address}{path}"))
    assert server.request_lines() == [line]


def test_a_name_and_password_in_the_url_are_not_shown() -> None:
    assert Transport("http://me:secret@host:8/", "http://host/").server == "host:8"


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("", None),
        ("me:secret@", b"Basic " + b64encode(b"me:secret")),
        ("m%40e:p%3Aw%20@", b"Basic " + b64encode(b"m@e:p:w ")),
        ("me@", b"Basic " + b64encode(b"me:")),
    ],
)
def test_an_http_proxy_is_told_the_whole_address(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch, login: str, expected: bytes | None
) -> None:
    proxy = start()
    monkeypatch.setenv("http_proxy", f"http://{login}{proxy.address}")
    transport = reach(
        "http://me:pw@amplitude.invalid:81/2/httpapi", "http://me:pw@amplitude.invalid:81/batch"
    )
    assert post(transport).status == 200
    assert post(transport, is_large=True).status == 200
    assert proxy.request_lines() == [
        b"POST http://amplitude.invalid:81/2/httpapi HTTP/1.1",
        b"POST http://amplitude.invalid:81/batch HTTP/1.1",
    ]
    assert header(proxy.heads[0], b"Host") == b"amplitude.invalid:81"
    assert [header(head, b"Proxy-Authorization") for head in proxy.heads] == [expected, expected]
    assert proxy.connections == 1


def test_a_proxy_is_told_of_a_server_in_letters_of_any_kind(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = start()
    monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
    assert post(reach("http://bücher.invalid:81/é?q=ü")).status == 200
    assert proxy.request_lines() == [b"POST http://xn--bcher-kva.invalid:81/%C3%A9?q=%C3%BC HTTP/1.1"]


def test_a_proxy_may_be_named_without_a_scheme(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = start()
    monkeypatch.setenv("http_proxy", proxy.address)
    assert post(reach("http://amplitude.invalid/")).status == 200


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["127.0.0.1", "other.invalid, 127.0.0.1", "*"])
def test_servers_that_need_no_proxy_are_asked_directly(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    proxy, server = start(), start()
    monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
    monkeypatch.setenv(name, value)
    assert post(reach(f"http://{server.address}/")).status == 200
    assert (proxy.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("address", ["http://127.0.0.1:notaport", "http://[::1", "http://"])
def test_a_proxy_that_is_none_fails_as_a_server_does(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(ERRORS):
        post(reach("http://amplitude.invalid/"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 and localhost, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' own")])
    now = dt.datetime.now(dt.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@pytest.fixture
def tls(authority: Path) -> ssl.SSLContext:
    """What a server with that certificate serves with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    return context


@pytest.fixture
def trusted(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust that certificate as people do."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))


@pytest.mark.usefixtures("trusted")
def test_a_trusted_server_is_sent_to_over_one_connection(
    start: Start, reach: Reach, tls: ssl.SSLContext
) -> None:
    server = start(tls=tls)
    transport = reach(f"https://{server.address}/")
    assert [post(transport, b"%d" % number).status for number in range(5)] == [200] * 5
    assert server.connections == 1
    assert server.bodies == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.usefixtures("trusted")
def test_a_trusted_server_that_closes_what_is_idle_is_asked_again_at_once(
    start: Start, reach: Reach, tls: ssl.SSLContext
) -> None:
    server = start(tls=tls)
    server.closes_idle = True
    transport = reach(f"https://{server.address}/")
    for number in range(4):
        assert post(transport, b"%d" % number).status == 200
        time.sleep(0.02)
    assert server.connections == 4


def test_a_server_that_nobody_trusts_is_sent_nothing(start: Start, reach: Reach, tls: ssl.SSLContext) -> None:
    server = start(tls=tls)
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        post(reach(f"https://{server.address}/"))
    assert isinstance(raised.value, ERRORS)
    assert server.heads == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused(start: Start, reach: Reach, tls: ssl.SSLContext) -> None:
    server = start(tls=tls, family=socket.AF_INET6)
    with pytest.raises(ERRORS):
        post(reach(f"https://{server.address}/"))
    assert server.heads == []


def test_a_server_that_speaks_no_tls_fails(start: Start, reach: Reach) -> None:
    server = start()
    with pytest.raises(ERRORS):
        post(reach(f"https://{server.address}/", timeout=0.3))


def tunnel_to(server: Server) -> Callable[[socket.socket], None]:
    """Pass on whatever comes after ``CONNECT`` was answered."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def tunnel(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join(10)

    return tunnel


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("login", "expected"), [("", None), ("me:secret@", b"Basic " + b64encode(b"me:secret"))]
)
def test_a_proxy_is_asked_for_a_tunnel_and_sees_nothing_of_what_is_in_it(
    start: Start,
    reach: Reach,
    monkeypatch: pytest.MonkeyPatch,
    tls: ssl.SSLContext,
    login: str,
    expected: bytes | None,
) -> None:
    server = start(tls=tls)
    proxy = start(tunnel_to(server))
    monkeypatch.setenv("https_proxy", f"http://{login}{proxy.address}")
    transport = reach(f"https://localhost:{server.port}/2/httpapi")
    assert [post(transport, b"%d" % number).status for number in range(3)] == [200] * 3
    (asked,) = proxy.heads
    assert asked.startswith(b"CONNECT localhost:%d HTTP/1." % server.port)
    assert header(asked, b"Proxy-Authorization") == expected
    assert server.request_lines() == [b"POST /2/httpapi HTTP/1.1"] * 3
    assert all(header(head, b"Proxy-Authorization") is None for head in server.heads)
    transport.close()


def test_a_proxy_that_opens_no_tunnel_fails(
    start: Start, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = start(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
    with pytest.raises(ERRORS, match="407"):
        post(reach("https://amplitude.invalid/"))
    assert [line.split()[0] for line in proxy.request_lines()] == [b"CONNECT"]


def test_a_closed_transport_opens_again(start: Start, reach: Reach) -> None:
    server = start()
    transport = reach(f"http://{server.address}/")
    for _ in range(2):
        assert post(transport).status == 200
        transport.close()
        transport.close()
    assert server.connections == 2
