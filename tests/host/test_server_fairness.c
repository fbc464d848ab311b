/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that always has more to do does not keep another one from being served: what the server
 * takes of it before it looks at the other is a turn's share or two.
 *
 * The busy program sends to the other one, so that the order of the records in that one's ring says
 * what was done before its call was answered, however the test is scheduled.  Without the short cut
 * the bytes come by the kernel, in later turns.
 */
#include "fake_pair.h"

#define STREAMS 4            /* a window of 256 KiB each: more than the ring holds */
#define SHARE   (128u << 10) /* of a turn (server/submission.c) */
#define WORK    (RS_RING_SIZE - 2 * RS_MAX_RECORD)
#define PIECE   4096u

static void freeze(pid_t server)
{
    int status;

    check(!kill(server, SIGSTOP));
    check(waitpid(server, &status, WUNTRACED) == server && WIFSTOPPED(status));
}

/* The bytes that had come before the answer to the call that was made last. */
static size_t bytes_before_reply(struct fake *fake)
{
    uint64_t begin = now_ms();
    size_t bytes = 0;

    for (;;) {
        struct rs_record header;
        const uint8_t *body;

        if (rs_ring_peek(&fake->comp, &header, &body) != RS_PEEK_RECORD) {
            check(now_ms() - begin < PATIENCE);
            fake_park(fake, 200);
            continue;
        }
        fake_apply(fake, &header, body);
        rs_ring_skip(&fake->comp, &header);
        rs_ring_consume_end(&fake->comp);
        if (header.type == RS_COMP_REPLY)
            return bytes;
        if (header.type == RS_COMP_DATA)
            bytes += header.length;
    }
}

static void submit_call(struct fake *fake)
{
    struct rs_call call = {.cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP};
    struct piece piece = {&call, sizeof(call)};

    fake_submit(fake, RS_SUB_HOSTNAME, 0, 0, &piece, 1, 0);
}

static void test_share(struct fake *busy, struct fake *other, pid_t server)
{
    struct link_pair pairs[STREAMS];
    size_t before;

    for (int i = 0; i < STREAMS; i++) {
        open_pair(&pairs[i], busy, other);
        send_more(&pairs[i].client, 1); /* what comes next may go the short way */
        take_all(&pairs[i].peer);
    }
    freeze(server);
    for (size_t sent = 0; sent + PIECE <= WORK; sent += PIECE)
        send_more(&pairs[sent / PIECE % STREAMS].client, PIECE);
    submit_call(other);
    check(!kill(server, SIGCONT));
    before = bytes_before_reply(other);
    if (before > 2 * SHARE)
        fail("%zu bytes of another program's were done before one call", before);
    for (int i = 0; i < STREAMS; i++) {
        take_all(&pairs[i].peer);
        close_pair(&pairs[i]);
    }
}

int main(void)
{
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 60);
    struct fake *first = fake_join(dir), *second = fake_join(dir);

    test_share(first, second, server);
    test_share(second, first, server); /* the server looks at them in the same order */
    fake_leave(first);
    fake_leave(second);
    fake_stop_server(server, dir);
    return 0;
}
