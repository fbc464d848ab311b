/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ten megabytes each way at once, over several connections, through each kind of call; every byte
 * is compared with what its place in the stream must hold. Sources: recv/send ("TCP ... reliable,
 * in order"), WSARecv (order of posted buffers).
 */
#include "net.h"

#define TOTAL (10u << 20)
#define BLOCK 50000

/* What stream `id` holds at a place: no period that a lost or doubled block could hide in. */
static unsigned char byte_at(unsigned id, unsigned position)
{
    unsigned x = position / 4 * 2654435761u + id * 40503u;

    x ^= x >> 15;
    return (unsigned char)(x >> (position % 4 * 8));
}

static void fill(unsigned id, unsigned position, char *data, unsigned size)
{
    unsigned i;

    for (i = 0; i < size; i++)
        data[i] = (char)byte_at(id, position + i);
}

/* Length of the right part */
static unsigned compare(unsigned id, unsigned position, const char *data, unsigned size)
{
    unsigned i;

    for (i = 0; i < size; i++)
        if ((unsigned char)data[i] != byte_at(id, position + i))
            break;
    return i;
}

struct flow {
    SOCKET s;
    unsigned id, total, done;
};

static DWORD WINAPI send_flow(void *arg)
{
    struct flow *f = arg;
    char *data = malloc(BLOCK);

    while (f->done < f->total) {
        unsigned size = f->total - f->done < BLOCK ? f->total - f->done : BLOCK;
        int sent;

        fill(f->id, f->done, data, size);
        sent = send(f->s, data, size, 0);
        if (sent <= 0) {
            ok(0, "stream %u: send gave %d, error %d\n", f->id, sent, WSAGetLastError());
            break;
        }
        f->done += sent;
    }
    free(data);
    shutdown(f->s, SD_SEND);
    return 0;
}

static DWORD WINAPI recv_flow(void *arg)
{
    struct flow *f = arg;
    char *data = malloc(BLOCK);
    int got;

    while ((got = recv(f->s, data, BLOCK - (f->done & 1023), 0)) > 0) {
        unsigned right = compare(f->id, f->done, data, got);

        if (right != (unsigned)got) {
            ok(0, "stream %u: wrong byte at %u\n", f->id, f->done + right);
            break;
        }
        f->done += got;
    }
    ok(f->done == f->total, "stream %u: %u of %u bytes\n", f->id, f->done, f->total);
    free(data);
    return 0;
}

/* Blocking calls: both directions of several connections, a thread each */
static void test_blocking(void)
{
    enum { CONNECTIONS = 3 };
    struct flow flow[CONNECTIONS * 4];
    HANDLE thread[CONNECTIONS * 4];
    SOCKET s[CONNECTIONS][2];
    int i, side, n = 0;

    memset(flow, 0, sizeof(flow));
    for (i = 0; i < CONNECTIONS; i++) {
        net_pair_flags(i & 1 ? AF_INET6 : AF_INET, WSA_FLAG_OVERLAPPED, &s[i][0], &s[i][1]);
        for (side = 0; side < 2; side++) {
            flow[n].s = s[i][side];
            flow[n].id = i * 2 + side;
            flow[n].total = TOTAL / (i + 1);
            thread[n] = CreateThread(NULL, 0, send_flow, &flow[n], 0, NULL);
            n++;
            flow[n].s = s[i][!side];
            flow[n].id = i * 2 + side;
            flow[n].total = TOTAL / (i + 1);
            thread[n] = CreateThread(NULL, 0, recv_flow, &flow[n], 0, NULL);
            n++;
        }
    }
    ok(WaitForMultipleObjects(n, thread, TRUE, 50000) == WAIT_OBJECT_0, "not finished\n");
    for (i = 0; i < n; i++)
        CloseHandle(thread[i]);
    for (i = 0; i < CONNECTIONS; i++) {
        closesocket(s[i][0]);
        closesocket(s[i][1]);
    }
}

/* Overlapped with events: four receives posted ahead, two sends outstanding */
static void test_events(void)
{
    enum { RECEIVES = 4, SENDS = 2, SIZE = 30000 };
    struct op {
        WSAOVERLAPPED ov;
        char data[SIZE];
        BOOL busy;
    } *rx = calloc(RECEIVES, sizeof(*rx)), *tx = calloc(SENDS, sizeof(*tx));
    unsigned sent = 0, got = 0, rx_at = 0, tx_at = 0, i;
    DWORD bytes, flags;
    WSABUF buf;
    SOCKET a, b;

    net_pair(&a, &b);
    for (i = 0; i < RECEIVES; i++)
        rx[i].ov.hEvent = WSACreateEvent();
    for (i = 0; i < SENDS; i++)
        tx[i].ov.hEvent = WSACreateEvent();
    while (got < TOTAL) {
        for (i = 0; i < RECEIVES; i++) {
            struct op *op = &rx[(rx_at + i) % RECEIVES];

            if (op->busy)
                continue;
            buf.buf = op->data;
            buf.len = SIZE;
            flags = 0;
            if (WSARecv(b, &buf, 1, NULL, &flags, &op->ov, NULL) &&
                WSAGetLastError() != WSA_IO_PENDING)
                break;
            op->busy = TRUE;
        }
        for (i = 0; i < SENDS && sent < TOTAL; i++) {
            struct op *op = &tx[(tx_at + i) % SENDS];
            unsigned size = TOTAL - sent < SIZE ? TOTAL - sent : SIZE;

            if (op->busy)
                continue;
            fill(9, sent, op->data, size);
            buf.buf = op->data;
            buf.len = size;
            if (WSASend(a, &buf, 1, NULL, 0, &op->ov, NULL) && WSAGetLastError() != WSA_IO_PENDING)
                break;
            op->busy = TRUE;
            sent += size;
        }
        if (tx[tx_at].busy && WSAGetOverlappedResult(a, &tx[tx_at].ov, &bytes, FALSE, &flags)) {
            tx[tx_at].busy = FALSE;
            tx_at = (tx_at + 1) % SENDS;
        }
        if (!WSAGetOverlappedResult(b, &rx[rx_at].ov, &bytes, TRUE, &flags)) {
            ok(0, "error %d after %u bytes\n", WSAGetLastError(), got);
            break;
        }
        if (compare(9, got, rx[rx_at].data, bytes) != bytes || !bytes) {
            ok(0, "wrong bytes after %u\n", got);
            break;
        }
        got += bytes;
        rx[rx_at].busy = FALSE;
        rx_at = (rx_at + 1) % RECEIVES;
    }
    ok(got == TOTAL, "got %u bytes\n", got);
    for (i = 0; i < SENDS; i++)
        if (tx[i].busy)
            ok(WSAGetOverlappedResult(a, &tx[i].ov, &bytes, TRUE, &flags), "error %d\n",
               WSAGetLastError());
    closesocket(a);
    closesocket(b);
    for (i = 0; i < RECEIVES; i++) {
        if (rx[i].busy) /* cancelled by closesocket: its buffer must not go before that */
            WaitForSingleObject(rx[i].ov.hEvent, NET_PATIENCE);
        WSACloseEvent(rx[i].ov.hEvent);
    }
    for (i = 0; i < SENDS; i++)
        WSACloseEvent(tx[i].ov.hEvent);
    free(rx);
    free(tx);
}

/* A completion port with several connections, each sending and receiving all the time */
struct side {
    WSAOVERLAPPED rx, tx;
    SOCKET s;
    unsigned sent, got, tx_id, rx_id;
    char in[BLOCK], out[BLOCK];
    BOOL shut;
};

#define PORT_TOTAL (TOTAL / 2)

static void port_recv(struct side *p)
{
    WSABUF buf = {BLOCK, p->in};
    DWORD flags = 0;

    memset(&p->rx, 0, sizeof(p->rx));
    ok(!WSARecv(p->s, &buf, 1, NULL, &flags, &p->rx, NULL) || WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
}

static void port_send(struct side *p)
{
    unsigned size = PORT_TOTAL - p->sent < BLOCK ? PORT_TOTAL - p->sent : BLOCK;
    WSABUF buf = {size, p->out};

    if (!size) {
        if (!p->shut)
            shutdown(p->s, SD_SEND);
        p->shut = TRUE;
        return;
    }
    fill(p->tx_id, p->sent, p->out, size);
    memset(&p->tx, 0, sizeof(p->tx));
    ok(!WSASend(p->s, &buf, 1, NULL, 0, &p->tx, NULL) || WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
}

static void test_port(void)
{
    enum { SIDES = 6 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct side *side = calloc(SIDES, sizeof(*side));
    OVERLAPPED *ov;
    DWORD bytes;
    ULONG_PTR key;
    int i, open = SIDES;

    for (i = 0; i < SIDES; i += 2)
        net_pair(&side[i].s, &side[i + 1].s);
    for (i = 0; i < SIDES; i++) {
        side[i].tx_id = 20 + i;
        side[i].rx_id = 20 + (i ^ 1);
        CreateIoCompletionPort((HANDLE)side[i].s, port, i, 0);
        port_recv(&side[i]);
    }
    for (i = 0; i < SIDES; i++)
        port_send(&side[i]);
    while (open) {
        struct side *p;

        if (!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000)) {
            ok(0, "error %lu, overlapped %p\n", GetLastError(), (void *)ov);
            break;
        }
        p = &side[key];
        if (ov == (OVERLAPPED *)&p->tx) {
            p->sent += bytes;
            port_send(p);
        } else if (!bytes) {
            open--;
        } else if (compare(p->rx_id, p->got, p->in, bytes) != bytes) {
            ok(0, "connection %d: wrong bytes after %u\n", (int)key, p->got);
            break;
        } else {
            p->got += bytes;
            port_recv(p);
        }
    }
    for (i = 0; i < SIDES; i++) {
        ok(side[i].got == PORT_TOTAL, "%d: got %u bytes\n", i, side[i].got);
        closesocket(side[i].s);
    }
    CloseHandle(port);
    free(side);
}

START_TEST(big)
{
    net_start();
    RUN(test_blocking);
    RUN(test_events);
    RUN(test_port);
    WSACleanup();
}
