# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small servers on the host for the jobs, one file or one connection each: FTP (passive), TFTP, TLS, and
one that sends back what it gets.

Each function returns its port at once; a daemon thread serves and ends with the process, or after
a minute without a client.
"""
import socket
import ssl
import struct
import threading

PATIENCE = 60


def _listener(kind=socket.SOCK_STREAM):
    listener = socket.socket(type=kind)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    if kind == socket.SOCK_STREAM:
        listener.listen()
    return listener


def _in_thread(listener, serve, *args):
    def run():
        with listener:
            serve(listener, *args)
    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


# ---- FTP ----
def _ftp_data(control, passive, move):
    with passive.accept()[0] as data:
        control.sendall(b"150 here it comes\r\n")
        move(data)
    control.sendall(b"226 done\r\n")


def _ftp_store(data, directory, name):
    (directory / name).write_bytes(b"".join(iter(lambda: data.recv(65536), b"")))


def _ftp_session(control, directory):
    control.sendall(b"220 ready\r\n")
    passive, start, answers = None, 0, {"USER": "331 and?", "PASS": "230 in", "PWD": '257 "/"', "QUIT": "221 bye"}
    for line in control.makefile():
        verb, _, name = line.strip().partition(" ")
        if verb == "EPSV":
            passive = _listener()
            control.sendall(b"229 passive (|||%d|)\r\n" % passive.getsockname()[1])
        elif verb == "REST":
            start = int(name)
            control.sendall(b"350 and?\r\n")
        elif verb == "RETR":
            rest = (directory / name).read_bytes()[start:]
            _ftp_data(control, passive, lambda data: data.sendall(rest))  # pylint: disable=cell-var-from-loop
        elif verb == "STOR":
            _ftp_data(control, passive, lambda data: _ftp_store(data, directory, name))
        elif verb == "SIZE":
            control.sendall(b"213 %d\r\n" % (directory / name).stat().st_size)
        else:
            control.sendall(answers.get(verb, "200 fine").encode() + b"\r\n")


def ftp(directory):
    def serve(listener):
        while True:
            try:
                control = listener.accept()[0]
            except OSError:
                return
            with control:
                _ftp_session(control, directory)
    return _in_thread(_listener(), serve)


# ---- TFTP ----
def tftp(content):
    """One read request of any name, in blocks of 512 bytes."""
    def serve(asked):
        client = asked.recvfrom(1500)[1]
        with _listener(socket.SOCK_DGRAM) as transfer:
            transfer.settimeout(10)
            for number in range(len(content) // 512 + 1):
                block = content[number * 512:(number + 1) * 512]
                transfer.sendto(struct.pack("!HH", 3, (number + 1) & 0xffff) + block, client)
                answer = transfer.recv(1500)
                assert answer == struct.pack("!HH", 4, (number + 1) & 0xffff), answer
    return _in_thread(_listener(socket.SOCK_DGRAM), serve)


# ---- TLS ----
def https(content, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(listener):
        while True:
            try:
                plain = listener.accept()[0]
            except OSError:
                return
            with context.wrap_socket(plain, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.0 200 ok\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
                secure.unwrap()
    return _in_thread(_listener(), serve)


# ---- lines ----
def upper():
    """Sends each line back in capitals."""
    def serve(listener):
        with listener.accept()[0] as client:
            for line in client.makefile("rb"):
                client.sendall(line.upper())
    return _in_thread(_listener(), serve)
