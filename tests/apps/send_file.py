# SPDX-License-Identifier: LGPL-2.1-or-later
"""Host-side sender: prints its port, sends FILE to the first who connects, ends.

    python3 tests/apps/send_file.py FILE [PORT]

The first pieces are small and apart in time, so that the receiver meets both data that waits for it
and data that it has to wait for.
"""
import socket
import sys
import time


def serve(path, port=0, ready=print):
    with socket.create_server(("127.0.0.1", port)) as listener:
        ready(listener.getsockname()[1])
        listener.settimeout(120)
        connection, _ = listener.accept()
        with connection, open(path, "rb") as data:
            for size in (1, 100, 5000):
                connection.sendall(data.read(size))
                time.sleep(0.02)
            connection.sendfile(data, data.tell())
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(60)
            connection.recv(1)  # until the receiver closes


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0,
          lambda number: print(number, flush=True))
