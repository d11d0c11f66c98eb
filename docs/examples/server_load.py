"""server_load.py SERVER: many clients at once, against docs/examples/server.c. Each request is answered once, also
beside clients that go away, send nonsense, or do not read; and while the server ends."""
import asyncio
import collections
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

CLIENTS, EACH = 60, 60


def collatz(at):
    steps = 0
    while at > 1:
        at = 3 * at + 1 if at % 2 else at // 2
        steps += 1
    return steps


PRIMES = {1000: 168, 20000: 2262}


def demand(i):
    """(line, what may be answered if it is ok)"""
    if i % 10 == 9:
        return "spin 1000", 1000
    if i % 10 == 4:
        below = 20000 if i % 20 == 4 else 1000
        return f"primes {below}", PRIMES[below]
    return f"steps {i + 1}", collatz(i + 1)


async def ask(path, first, count, answers):
    """Sends all requests at once, and reads until each is answered, or the server has closed."""
    reader, writer = await asyncio.open_unix_connection(path)
    wanted = {}
    for i in range(first, first + count):
        line, wanted[str(i)] = demand(i)
        writer.write(f"{i} {line}\n".encode())
    left = set(wanted)
    try:
        await writer.drain()
    except OSError:
        pass
    while left:
        try:
            line = await reader.readline()
        except OSError:
            break
        if not line:
            break
        ident, word, *rest = line.decode().split()
        assert ident in left, f"answered twice, or never asked: {line}"
        left.remove(ident)
        answers[word] += 1
        assert word in ("ok", "busy", "late", "ending"), line
        assert word != "ok" or int(rest[0]) == wanted[ident], line
    writer.close()
    return len(left)


async def insist(path, first, count):
    """Sends one request at a time, and again if the server has no room or no time: all are answered in the end."""
    reader, writer = await asyncio.open_unix_connection(path)
    for i in range(first, first + count):
        line, wanted = demand(i)
        while True:
            writer.write(f"{i} {line}\n".encode())
            ident, word, *rest = (await reader.readline()).decode().split()
            assert ident == str(i) and word in ("ok", "busy", "late"), (ident, word)
            if word == "ok":
                assert int(rest[0]) == wanted
                break
            await asyncio.sleep(0.001)
    writer.close()


async def say(path, text):
    """What is answered to that, until the server closes or has answered all lines."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(text)
    writer.write_eof()
    try:
        answer = await reader.read()
    except OSError:
        answer = b""
    writer.close()
    return answer.decode()


async def go_away(path, first):
    """Asks, and goes without reading."""
    _, writer = await asyncio.open_unix_connection(path)
    for i in range(20):
        writer.write(f"{first + i} spin 500\n".encode())
    await writer.drain()
    writer.close()


async def load(path, server, answers):
    # One by one.
    one = sorted((await say(path, b"a steps 27\nb steps 0\nc fly 1\nnonsense\n")).splitlines())
    assert one == ["a ok 111", "b error 1", "c unknown", "nonsense bad"], one
    assert await say(path, b"x" * 5000) == ""
    # All at once, with some that are no good clients.
    others = [go_away(path, 1000 * i) for i in range(10)]
    unanswered = await asyncio.gather(*(ask(path, i * EACH, EACH, answers) for i in range(CLIENTS)), *others)
    assert sum(n for n in unanswered if n) == 0, "requests were lost"
    assert sum(answers.values()) == CLIENTS * EACH
    assert answers["ok"] > 0
    # In turn.
    await asyncio.gather(*(insist(path, i * 20, 20) for i in range(CLIENTS)))
    # While it ends.
    ending = [asyncio.create_task(ask(path, i * EACH, EACH, answers)) for i in range(CLIENTS // 2)]
    await asyncio.sleep(0.01)
    server.send_signal(signal.SIGTERM)
    for result in await asyncio.gather(*ending, return_exceptions=True):
        assert not isinstance(result, AssertionError), result


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "socket")
        with subprocess.Popen([sys.argv[1], path], stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout.readline() == "listening\n"
                answers = collections.Counter()
                asyncio.run(load(path, server, answers))
                last, _ = server.communicate(timeout=30)
            finally:
                server.kill()
        print(dict(answers), last)
        assert server.returncode == 0, server.returncode
        read, *parts = map(int, re.findall(r"\d+", last))
        assert read == sum(parts) and read >= sum(answers.values())


main()
