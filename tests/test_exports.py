# SPDX-License-Identifier: LGPL-2.1-or-later
"""The DLL's outside: names, ordinals, stack sizes, resources; the relay; what refused calls say."""
import re
import struct
import subprocess
from pathlib import Path

import pytest

WIDTHS = ("x64", "x32")
SPEC_LINE = re.compile(r"(\d+|@) stdcall ((?:-\S+ )*)(\w+)\(([^)]*)\)$")


def spec(build):
    """name -> (ordinal or None, number of arguments, 64-bit only)"""
    exports = {}
    for line in (build.src / "dlls/ws2_32/ws2_32.spec").read_text().splitlines():
        found = SPEC_LINE.match(line)
        if found:
            ordinal, flags, name, args = found.groups()
            exports[name] = (None if ordinal == "@" else int(ordinal), len(args.split()),
                             "win64" in flags)
    return exports


def export_table(dll):
    """name -> ordinal, read from the PE file (no binutils where only Wine is installed)"""
    data = dll.read_bytes()
    pe = struct.unpack_from("<I", data, 0x3c)[0]
    sections, optional_size = struct.unpack_from("<2xH12xH", data, pe + 4)
    optional = pe + 24
    wide = struct.unpack_from("<H", data, optional)[0] == 0x20b
    directory = struct.unpack_from("<I", data, optional + (112 if wide else 96))[0]
    ranges = [struct.unpack_from("<8xIIII", data, optional + optional_size + 40 * i)
              for i in range(sections)]

    def at(rva):
        for size, start, raw_size, raw in ranges:
            if start <= rva < start + max(size, raw_size):
                return raw + rva - start
        raise AssertionError(f"RVA {rva:#x} is in no section")

    def read(kind, rva, count):
        return struct.unpack_from(f"<{count}{kind}", data, at(rva))

    base, _, count, _, names, ordinals = read("I", directory + 16, 6)
    return {data[at(name):data.index(b"\0", at(name))].decode(): ordinal + base
            for name, ordinal in zip(read("I", names, count), read("H", ordinals, count))}


@pytest.mark.parametrize("bits", WIDTHS)
def test_names_and_ordinals(build, bits):
    wanted = {name: ordinal for name, (ordinal, _, only64) in spec(build).items()
              if bits == "x64" or not only64}
    table = export_table(build.dll(bits))
    assert set(table) == set(wanted), "undecorated, and exactly those"
    for name, ordinal in wanted.items():
        assert ordinal is None or table[name] == ordinal, name
    assert len(wanted) == (197 if bits == "x64" else 181)


def test_windows_table(build):
    """Against the table of Windows' own names, where it is at hand."""
    facts = build.src / "../shared/facts/exports.md"
    if not facts.exists():
        pytest.skip("../shared/facts/exports.md is not here")
    exports, rows = spec(build), 0
    for line in facts.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) < 6 or cells[0] in ("name", "---"):
            continue
        rows += 1
        ordinal, args, only64 = exports[cells[0]]
        assert not cells[1] or ordinal == int(cells[1]), cells[0]
        size = re.search(r"x86 @(\d+)", cells[5])
        assert bool(size) != only64, cells[0]
        assert not size or int(size[1]) == 4 * args, cells[0]
    assert rows == len(exports) == 197


def export_rows(build):
    """docs/exports.md: name, ordinal, width, state, the test that shows it"""
    return re.findall(r"^\| (\w+) \| (\d*) \| (64 bit only)? ?\| "
                      r"((?:works|refuses|finds|does)[^|]*) \| (\w+:\w+)? ?\|$",
                      (build.src / "docs/exports.md").read_text(), re.M)


def test_documented(build):
    rows = export_rows(build)
    assert {name: (int(ordinal) if ordinal else None, bool(only64))
            for name, ordinal, only64, _, _ in rows} == {
                name: (ordinal, only64) for name, (ordinal, _, only64) in spec(build).items()}


def test_shown(build):
    """Each test that the table names is there, and its program asks for that export."""
    for name, _, _, _, shown in export_rows(build):
        assert shown, f"{name} names no test"
        program, function = shown.split(":")
        source = (build.src / f"tests/conformance/{program}.c").read_text()
        assert re.search(rf"^static void {function}\(", source, re.M), shown
        assert len(re.findall(rf"\b{function}\b", source)) > 1, f"{shown} is never run"
        assert re.search(rf"\b{name}\b", source), f"{program} does not call {name}"


EXTENSIONS = set("""AcceptEx GetAcceptExSockaddrs ConnectEx DisconnectEx TransmitFile TransmitPackets
    WSARecvMsg RIOReceive RIOReceiveEx RIOSend RIOSendEx RIOCloseCompletionQueue
    RIOCreateCompletionQueue RIOCreateRequestQueue RIODequeueCompletion RIODeregisterBuffer RIONotify
    RIORegisterBuffer RIOResizeCompletionQueue RIOResizeRequestQueue""".split())


def test_hostile(build):
    """Each export and each extension function is in a table of hostile arguments."""
    tables = "".join(path.read_text()
                     for path in (build.src / "tests/conformance").glob("hostile_*.c"))
    assert set(re.findall(r"\{CALL\((\w+),", tables)) == set(spec(build))
    assert set(re.findall(r"\{EXTENSION\((\w+),", tables)) == EXTENSIONS


@pytest.mark.parametrize("bits", WIDTHS)
def test_file(build, bits):
    data = build.dll(bits).read_bytes()
    assert not data[0x40:].startswith(b"Wine builtin DLL")
    for text in ("ProductName", "Ringsock", "ws2_32.dll"):
        assert text.encode("utf-16le") in data


def calls(log):
    return re.findall(r"^ringsock:trace:(\w+): (Call|Ret ) ws2_32\.(\w+)\(.*$", log, re.M)


def test_relay(build, width, ours, run_wine):
    result = run_wine(build.exe("hostent", width), prefix=ours, env={"RINGSOCK_LOG": "trace"})
    seen = calls(result.log)
    assert len(seen) > 50
    # within one thread a call returns before the next begins: this program has no callbacks
    for thread in {entry[0] for entry in seen}:
        own = [entry[1:] for entry in seen if entry[0] == thread]
        for call, ret in zip(own[::2], own[1::2]):
            assert (call[0], ret[0]) == ("Call", "Ret ") and call[1] == ret[1]
    assert re.search(r'Call ws2_32\.gethostbyname\(\w+ "no-such-host\.invalid"\) ret=\w+', result.log)
    assert re.search(r"Ret  ws2_32\.gethostname\(\) retval=f+ error=10014 ret=", result.log)
    assert "WSAStartup(00000202," in result.log


def test_relay_is_off(build, width, ours, run_wine):
    result = run_wine(build.exe("hostent", width), prefix=ours, env={"RINGSOCK_LOG": "debug"})
    assert "ringsock: " in result.log and not calls(result.log)


def test_refusals_are_said_once(build, width, ours, run_wine):
    result = run_wine(build.exe("layered_helpers", width), prefix=ours,
                      env={"RINGSOCK_LOG": "warn"})
    said = re.findall(r"ringsock:warn:\w+: (\w+) is not supported", result.log)
    assert {"WSAGetQOSByName", "WPUCompleteOverlappedRequest"} <= set(said)
    assert len(said) == len(set(said))


def test_log_goes_nowhere(build, width, ours, run_wine):
    result = run_wine(build.exe("inet", width), prefix=ours,
                      env={"RINGSOCK_LOG": "trace", "RINGSOCK_LOG_PATH": "none"})
    assert "ringsock" not in result.log + result.out + result.err


def test_log_on_stderr(build, width, ours, run_wine):
    result = run_wine(build.exe("inet", width), prefix=ours,
                      env={"RINGSOCK_LOG": "trace", "RINGSOCK_LOG_PATH": ""})
    assert calls(result.err)


def test_relay_refuses_what_it_cannot_do(build, tmp_path):
    bad = tmp_path / "bad.spec"
    bad.write_text("1 stdcall f(int64)\n")
    tool = Path(build.src) / "tools/make-relay"
    done = subprocess.run(["python3", str(tool), str(bad)], stderr=subprocess.PIPE, text=True)
    assert done.returncode and "bad.spec:1" in done.stderr
