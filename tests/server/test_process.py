"""A server as a process, spoken to by curl and by bare sockets."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from gafas.imaging import encode
from gafas.server import protocol, running
from tests.faces import portrait
from tests.server.conftest import Serve, Server
from tests.server.tools import picture

curl_is_here = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
PREDICT = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"


def test_answers_do_not_wait_for_acknowledgements() -> None:
    with running.listen("127.0.0.1", 0) as opened, socket.create_connection(opened.getsockname()):
        accepted, _ = opened.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def curl(*words: object) -> tuple[int, str]:
    """Return the status and the body."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    found = b""
    try:
        while chunk := connection.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "Ana's secret ñ.png"
    path.write_bytes(encode(portrait(), ".png"))
    return path


@curl_is_here
def test_the_ways_of_curl(serve: Serve, face: Path, tmp_path: Path) -> None:
    server = serve(GAFAS_API_KEY="the key")
    key = ("-H", "X-API-Key: the key")
    predict = f"{server.url}/v1/predict"
    text = tmp_path / "text.txt"
    text.write_text("text", encoding="utf-8")

    status, body = curl(*key, "-F", f"files=@{face}", "-F", f"files=@{text}", predict)
    assert status == 200
    first, second = json.loads(body)["results"]
    assert first["name"] == face.name
    assert [found["region"] for found in first["faces"]] == ["face"]
    assert second["error"]["code"] == "not_an_image"

    status, body = curl(*key, "-H", "Content-Type: image/png", "--data-binary", f"@{face}", f"{predict}?explain=true")
    assert status == 200
    (raw,) = json.loads(body)["results"]
    assert raw["faces"][0]["sunglasses"] == pytest.approx(first["faces"][0]["sunglasses"], abs=1e-4)
    assert raw["faces"][0]["explanation"]["method"] == "activation"

    assert curl("-F", f"files=@{face}", predict)[0] == 401
    assert curl("-H", "Authorization: Bearer the key", f"{server.url}/v1/model")[0] == 200
    assert curl(f"{server.url}/healthz") == (200, '{"status":"ok"}')

    # A body that never ends is cut off, and its sender is told why.
    endless = subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE)
    try:
        sent = subprocess.run(
            ["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}", *key, "-H", "Transfer-Encoding: chunked",
             "-H", "Content-Type: image/png", "-T", "-", "-X", "POST", predict],
            stdin=endless.stdout, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        endless.kill()
        endless.communicate()
    assert sent.stdout.endswith("\n413")
    assert "too_large" in sent.stdout

    assert server.stop() == 0
    log = server.lines()
    assert "Ana" not in log
    assert "text.txt" not in log
    assert "the key" not in log
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    statuses = [event["status"] for event in events if event["event"] == "request" and event["route"] == "/v1/predict"]
    assert statuses == [200, 200, 401, 413]


def test_what_was_accepted_is_finished(serve: Serve) -> None:
    server = serve(slow=1.5)
    image = picture()
    with connect(server) as connection:
        connection.sendall(PREDICT + f"Content-Length: {len(image)}\r\n\r\n".encode() + image)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"status":"ok"' in answer
    assert server.process.wait(20) == 0
    with pytest.raises(OSError, match="refused"):
        connect(server)


def test_a_client_that_hangs_up_takes_its_work_along(serve: Serve) -> None:
    server = serve(slow=1.0)
    image = picture()
    for _ in range(20):
        with connect(server) as connection:
            connection.sendall(PREDICT + f"Content-Length: {len(image)}\r\n\r\n".encode() + image)
            time.sleep(0.02)
    start = time.monotonic()
    with connect(server) as connection:
        connection.sendall(PREDICT + f"Connection: close\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image)
        assert read_all(connection).startswith(b"HTTP/1.1 200")
    # Twenty images on two threads, a second for each batch, would mostly take longer; the log is sure.
    assert time.monotonic() - start < 30
    server.stop()
    assert server.lines().count('"status": 499') >= 18


def test_slow_senders_are_cut_off(serve: Serve) -> None:
    server = serve("--timeout", 1)
    with connect(server) as body, connect(server) as head, connect(server) as silent:
        start = time.monotonic()
        body.sendall(PREDICT + b"Content-Length: 1000\r\n\r\nx")
        head.sendall(PREDICT)
        answer = read_all(body)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"body_timeout" in answer
        assert time.monotonic() - start < 20
        assert read_all(head) == b""
        assert read_all(silent) == b""
        assert time.monotonic() - start < protocol.HEAD_SECONDS + 30


def test_connections_serve_again_garbage_is_refused_and_ctrl_c_is_a_good_end(serve: Serve) -> None:
    server = serve()
    image = picture()
    request = PREDICT + f"Content-Length: {len(image)}\r\n\r\n".encode() + image
    with connect(server) as connection:
        for _ in range(3):
            # In two pieces, as networks do.
            connection.sendall(request[:40])
            time.sleep(0.1)
            connection.sendall(request[40:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 200
            assert json.loads(answer.read())["results"][0]["status"] == "ok"
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"A" * 100_000):
        with connect(server) as connection:
            connection.sendall(garbage)
            assert read_all(connection).startswith(b"HTTP/1.1 400"), garbage[:20]
    assert server.stop(signal.SIGINT) == 0
    assert "Traceback" not in server.lines()


def test_several_processes(serve: Serve) -> None:
    server = serve("--workers", 2)
    image = picture()
    for _ in range(6):
        with connect(server) as connection:
            connection.sendall(PREDICT + f"Connection: close\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image)
            assert read_all(connection).startswith(b"HTTP/1.1 200")
    assert server.stop() == 0
