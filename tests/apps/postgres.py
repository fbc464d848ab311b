# SPDX-License-Identifier: LGPL-2.1-or-later
"""PostgreSQL's jobs: WSAEventSelect, and WSADuplicateSocket to a backend process for each session."""
import contextlib
import hashlib
import threading
import time

from .job import free_port, job
from .pgwire import Refused, Session


@contextlib.contextmanager
def server(given):
    bin_ = given.fetch("postgres-x64").parent
    result = given.wine(bin_ / "initdb.exe", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync",
                        timeout=180)
    assert result.rc == 0, str(result)
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1"
    started = given.start(bin_ / "pg_ctl.exe", "start", "-D", "data", "-l", "log", "-w", "-o", options)
    started.proc.wait(90)
    try:
        yield port
    finally:
        given.wine(bin_ / "pg_ctl.exe", "stop", "-D", "data", "-m", "immediate", timeout=60)


def check_sessions(port, count):
    wanted, found = [[str(sum(range(130_000)))]], []

    def one():
        session = Session(port)
        found.append(session.query("select sum(i) from t")[0] == wanted)
        session.close()
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert found == [True] * count, f"{len(found)} sessions, {found}"


def check_cancel(port):
    session = Session(port)
    timer = threading.Timer(0.5, session.cancel)
    timer.start()
    begin = time.monotonic()
    try:
        session.query("select pg_sleep(60)")
        raise AssertionError("it was not cancelled")
    except Refused as refused:
        assert refused.code == "57014", str(refused)  # query_canceled
    timer.join()
    assert time.monotonic() - begin < 30
    assert session.query("select 1")[0] == [["1"]]
    session.close()


@job("postgres", "sessions")
def sessions(given):
    """initdb, start, concurrent sessions, COPY of 5 MB in and out, a cancel request, stop."""
    rows = "".join(f"{i}\t{hashlib.md5(str(i).encode()).hexdigest()}\n" for i in range(130_000)).encode()
    with server(given) as port:
        session = Session(port)
        session.query("create table t (i int, h text)")
        session.query("copy t from stdin", rows)
        assert session.query("select count(*), count(distinct h) from t")[0] == [["130000", "130000"]]
        check_sessions(port, 10)
        assert session.query("copy (select * from t order by i) to stdout")[1] == rows
        check_cancel(port)
        session.close()
    return "130,000 rows in and out, 10 sessions at a time, a query cancelled"
