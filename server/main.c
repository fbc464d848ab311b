/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ringsock-server's command line, and its way into the background.
 *
 * Owns: options, the fork, the log's descriptor.  Everything else is server_run's.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "server.h"

static const char usage[] =
    "Usage: ringsock-server --runtime DIR [OPTION]...\n"
    "Serves the sockets of Windows programs that use Ringsock's ws2_32.dll.\n"
    "Started by the DLL when needed; ends when nobody has needed it for a while.\n"
    "\n"
    "  --runtime DIR      directory of FIFOs and shared memory, made if missing (mode 0700)\n"
    "  --linger SECONDS   stay so long after the last program (default 5)\n"
    "  --foreground       stay in the foreground and log to standard error\n"
    "  --log FILE         log there (default: the file `log` in DIR); none = nowhere\n"
    "  --version, --help\n"
    "\n"
    "RINGSOCK_LOG=error|warn|info|debug|trace says how much is logged (default warn),\n"
    "RINGSOCK_LOG_PATH=DIRECTORY|none where, if --log does not.\n"
    "RINGSOCK_SHORTCUT=0 sends everything through the kernel, also between two sockets of ours,\n"
    "RINGSOCK_SPIN=0 sleeps whenever there is nothing to do,\n"
    "RINGSOCK_WORKERS=0 serves all programs on one thread.\n";

struct settings {
    struct server_options server;
    const char *log;
    bool foreground;
    int ready_fd; /* where the waiting parent learns that we are ready */
};

static bool is_wanted(const char *name)
{
    const char *value = getenv(name);

    return !value || strcmp(value, "0");
}

static unsigned parse_seconds(const char *text)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > 1000000) {
        fprintf(stderr, "ringsock-server: %s is no number of seconds\n", text);
        exit(2);
    }
    return (unsigned)value;
}

static void parse(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"runtime", required_argument, NULL, 'r'},
        {"linger", required_argument, NULL, 'l'},
        {"foreground", no_argument, NULL, 'f'},
        {"log", required_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'r':
            settings->server.runtime = optarg;
            break;
        case 'l':
            settings->server.linger = parse_seconds(optarg);
            break;
        case 'f':
            settings->foreground = true;
            break;
        case 'o':
            settings->log = optarg;
            break;
        case 'v':
            puts("ringsock-server " RINGSOCK_VERSION);
            exit(0);
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (!settings->server.runtime || optind != argc) {
        fputs(usage, stderr);
        exit(2);
    }
    if (settings->server.runtime[0] != '/') { /* we change directory */
        fprintf(stderr, "ringsock-server: %s is no absolute path\n", settings->server.runtime);
        exit(2);
    }
}

/* The parent stays until the child can be joined, so that who started us may go on with `join`. */
static void into_background(struct settings *settings)
{
    int ends[2];
    char byte;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC)) {
        log_error("pipe: %s", strerror(errno));
        exit(1);
    }
    child = fork();
    if (child < 0) {
        log_error("fork: %s", strerror(errno));
        exit(1);
    }
    if (!child) {
        close(ends[0]);
        settings->ready_fd = ends[1];
        if (setsid() < 0)
            log_warn("setsid: %s", strerror(errno));
        return;
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 1)
        _exit(0);
    /* It ended instead: somebody else serves (0), or it failed. */
    {
        int status = 1 << 8;

        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
}

static int open_file_log(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* --log, then RINGSOCK_LOG_PATH as the DLL understands it, then our own directory.  *wanted is
 * false where there shall be none. */
static int open_log(const struct settings *settings, const struct runtime_dir *dir, bool *wanted)
{
    const char *environment = getenv("RINGSOCK_LOG_PATH");
    const char *choice = settings->log ? settings->log : environment ? environment : "";
    char path[PATH_MAX];
    int fd = -1;

    *wanted = strcmp(choice, "none") != 0;
    if (!*wanted)
        return -1;
    if (settings->log)
        return open_file_log(settings->log);
    if (choice[0] == '/' &&
        snprintf(path, sizeof(path), "%s/ringsock-server.log", choice) < (int)sizeof(path))
        fd = open_file_log(path);
    if (fd >= 0)
        return fd;
    return openat(dir->fd, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  0600);
}

static void use_null(int fd, int null_fd)
{
    if (dup2(null_fd, fd) < 0)
        log_warn("dup2: %s", strerror(errno));
}

/* server_run is ready: up to here what went wrong was said on the starter's standard error. */
static void detach(void *context, const struct runtime_dir *dir)
{
    struct settings *settings = context;
    int log_fd = -1, null_fd;
    bool wanted;

    if (!settings->foreground || settings->log) {
        log_fd = open_log(settings, dir, &wanted);
        if (log_fd < 0 && wanted)
            log_warn("cannot open the log: %s", strerror(errno));
        log_to(log_fd);
    }
    if (settings->foreground)
        return;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd >= 0) {
        for (int fd = 0; fd <= 2; fd++)
            use_null(fd, null_fd);
        close(null_fd);
    }
    if (chdir("/"))
        log_warn("chdir: %s", strerror(errno));
    if (write(settings->ready_fd, "", 1) != 1)
        log_warn("the process that started us is gone");
    close(settings->ready_fd);
}

int main(int argc, char **argv)
{
    struct settings settings = {.server = {.linger = SERVER_LINGER_DEFAULT}, .ready_fd = -1};

    log_init();
    settings.server.shortcut = is_wanted("RINGSOCK_SHORTCUT");
    settings.server.spin = is_wanted("RINGSOCK_SPIN");
    settings.server.workers = is_wanted("RINGSOCK_WORKERS");
    /* Backlogs come and go in pieces of 64 KiB: handing them back to the kernel each time costs a
     * fault and a cleared page for every 4 KiB (perf, bulk transfer). */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    mallopt(M_ARENA_MAX,
            1); /* one of 64 MiB for each thread would count where address space is short */
    parse(&settings, argc, argv);
    umask(077);
    if (!settings.foreground) {
        /* Whatever the starter left open (Wine: its own sockets) must not be held by us. */
        close_range(3, ~0u, 0);
        into_background(&settings);
    }
    settings.server.ready = detach;
    settings.server.context = &settings;
    return server_run(&settings.server);
}
