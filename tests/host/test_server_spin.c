/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the server looks for work before it sleeps (ringsock/spin.h): what it decides by, that it
 * looks for nothing from the network, and that who has nothing to do uses no processor time, also
 * right after a burst.
 */
#include <sched.h>

#include "fake_dll.h"

#define MS ((uint64_t)RS_CLOCK_PER_MS)

/* ---- the decision ---- */

static struct rs_spin eager(void)
{
    struct rs_spin spin = {0};

    check(!rs_spin_is_worth_it(&spin, 0));
    for (int i = 0; i < 20; i++)
        rs_spin_slept(&spin, RS_SPIN_TIME / 2);
    check(rs_spin_is_worth_it(&spin, 0));
    return spin;
}

/* Long sleeps, or spins in vain, end it; it does not take more of them the longer it has paid. */
static void test_score(void)
{
    struct rs_spin spin = eager();
    int sleeps = 0, spins = 0;

    while (rs_spin_is_worth_it(&spin, 0) && sleeps < 20) {
        rs_spin_slept(&spin, 10 * MS);
        sleeps++;
    }
    check(sleeps > 1 && sleeps < 10);
    for (int i = 0; i < 20; i++)
        rs_spin_slept(&spin, 10 * MS);
    rs_spin_slept(&spin, RS_SPIN_TIME / 2);
    check(!rs_spin_is_worth_it(&spin, 0)); /* one short sleep is not enough */
    spin = eager();
    while (rs_spin_is_worth_it(&spin, 0) && spins < 20) {
        rs_spin_over(&spin, false, 0, 0);
        spins++;
    }
    check_equal(spins, sleeps);
    spin = eager();
    for (int i = 0; i < 100; i++)
        rs_spin_over(&spin, true, 0, 0);
    check(rs_spin_is_worth_it(&spin, 0));
}

/* Who stood still while it spun leaves the processor to others for a while. */
static void test_rest(void)
{
    struct rs_spin spin = eager();

    rs_spin_over(&spin, true, MS / 10, 1000 * MS);
    check(rs_spin_is_worth_it(&spin, 1000 * MS));
    rs_spin_over(&spin, true, 4 * MS, 1000 * MS);
    check(!rs_spin_is_worth_it(&spin, 1000 * MS));
    check(!rs_spin_is_worth_it(&spin, 1099 * MS));
    check(rs_spin_is_worth_it(&spin, 1101 * MS));
}

/* ---- the server ---- */

/* ms that the process has used */
static long processor_time(pid_t pid)
{
    char path[64], text[1024], *field;
    unsigned long user = 0, kernel = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    check(file && fgets(text, sizeof(text), file));
    fclose(file);
    field = strrchr(text, ')');
    check(field && sscanf(field + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                          &kernel) == 2);
    return (long)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

static long used_in_two_seconds(pid_t server)
{
    long before = processor_time(server);

    usleep(2000000);
    return processor_time(server) - before;
}

static void ping_pong(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), client = fake_open(fake, RS_AF_INET, RS_STREAM), peer;
    uint64_t end = now_ms() + 500;

    check_equal(fake_connect(fake, client, fake_socket(fake, listener)->local), 0);
    peer = fake_accept(fake, listener);
    while (now_ms() < end) {
        fake_send(fake, client, "x", 1);
        fake_wait(fake, fake_socket(fake, peer)->size);
        fake_consume(fake, peer, 1);
        fake_send(fake, peer, "y", 1);
        fake_wait(fake, fake_socket(fake, client)->size);
        fake_consume(fake, client, 1);
    }
}

/* The other end is no program of ours: it answers 30 us after a message has come, and the program
 * asks again at once.  Returns in how many of so many rounds the server was asleep just before the
 * answer. */
static unsigned rounds_asleep(struct fake *fake, unsigned rounds)
{
    uint32_t listener = fake_listen(fake, 5), socket;
    int peer = native_connect(fake_socket(fake, listener)->local);
    unsigned asleep = 0;
    char byte;

    socket = fake_accept(fake, listener);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t answer;

        fake_send(fake, socket, "x", 1);
        check_equal(recv(peer, &byte, 1, 0), 1);
        for (answer = rs_now() + 30 * MS / 1000; rs_now() < answer;)
            sched_yield(); /* to the server, which may be on this processor */
        asleep += __atomic_load_n(&fake->segment->sleeping_until, __ATOMIC_SEQ_CST) != 0;
        check_equal(send(peer, "y", 1, 0), 1);
        fake_wait(fake, fake_socket(fake, socket)->size);
        fake_consume(fake, socket, 1);
    }
    close(peer);
    fake_close(fake, socket);
    fake_close(fake, listener);
    return asleep;
}

/* The network is not looked for, however soon it answers: asleep in all rounds, also beside four
 * busy loops on two processors, where one that looked was in none to a sixth. */
static void test_network(const char *dir)
{
    struct fake *fake = fake_join(dir);
    unsigned asleep;

    rounds_asleep(fake, 100); /* until it knows that the answers come soon */
    asleep = rounds_asleep(fake, 1000);
    if (asleep < 500)
        fprintf(stderr, "asleep in %u rounds of 1000\n", asleep);
    check(asleep >= 500);
    fake_leave(fake);
}

/* ICMP messages that were asked for (RS_OPT_ICMP_MESSAGES), and that the program does not look at:
 * the kernel's queue of them, while it is not empty, would be an event again and again. */
static void ask_nobody(struct fake *fake)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_DGRAM), on = 1;
    uint32_t gone = fake_open(fake, RS_AF_INET, RS_DGRAM);
    struct rs_addr nobody;

    check_equal(fake_bind(fake, gone, fake_v4("127.0.0.1", 0)), 0);
    nobody = fake_socket(fake, gone)->local;
    fake_close(fake, gone);
    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_ICMP_MESSAGES, 0, 0, &on, sizeof(on)),
                0);
    for (int i = 0; i < 100; i++) {
        struct piece pieces[2] = {{&nobody, sizeof(nobody)}, {"x", 1}};

        fake_submit(fake, RS_SUB_SENDTO, 0, socket, pieces, 2, 1);
    }
}

/* A spin is 50 us and the eight in vain that follow a burst are less than one tick of the kernel's
 * count; a server that went on would use all of the two seconds. */
static void test_idle(const char *dir, pid_t server)
{
    struct fake *fake = fake_join(dir);

    check(used_in_two_seconds(server) <= 20);
    ping_pong(fake);
    check(used_in_two_seconds(server) <= 20);
    ask_nobody(fake);
    check(used_in_two_seconds(server) <= 20);
    fake_leave(fake);
}

int main(void)
{
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 60);

    test_score();
    test_rest();
    test_network(dir);
    test_idle(dir, server);
    fake_stop_server(server, dir);
    return 0;
}
