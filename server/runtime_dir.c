/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runtime directory: made, checked, locked, cleaned, left.
 *
 * Owns: DIR itself, `lock`, and the removal of everything else in it.  Loop thread only.
 *
 * Whoever can write to the directory can speak for the programs in it, so it has to be ours alone
 * (mode 0700, our uid, no symbolic link), and so does the directory that it is in, unless that is
 * sticky like /tmp or root's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anchor.h"
#include "log.h"
#include "runtime_dir.h"

static bool parent_is_safe(const char *path)
{
    struct stat status;

    if (mkdir(path, 0700) && errno != EEXIST) {
        log_error("cannot create %s: %s", path, strerror(errno));
        return false;
    }
    if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
        log_error("%s is not a directory", path);
        return false;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        log_error("%s belongs to user %u", path, (unsigned)status.st_uid);
        return false;
    }
    if ((status.st_mode & 022) && !(status.st_mode & S_ISVTX)) {
        log_error("%s can be changed by others (mode %o)", path, status.st_mode & 07777);
        return false;
    }
    return true;
}

static bool directory_is_ours(int fd, const char *path)
{
    struct stat status;

    if (fstat(fd, &status))
        return false;
    if (status.st_uid != geteuid() || (status.st_mode & 077)) {
        log_error("%s: owner %u, mode %o; it must be ours alone", path, (unsigned)status.st_uid,
                  status.st_mode & 07777);
        return false;
    }
    return true;
}

static int open_directory(const char *path)
{
    char copy[PATH_MAX];
    int fd;

    if (strlen(path) >= sizeof(copy)) {
        log_error("the runtime directory's name is too long");
        return -1;
    }
    strcpy(copy, path);
    if (!parent_is_safe(dirname(copy)))
        return -1;
    if (mkdir(path, 0700) && errno != EEXIST) {
        log_error("cannot create %s: %s", path, strerror(errno));
        return -1;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        log_error("cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (directory_is_ours(fd, path))
        return fd;
    close(fd);
    return -1;
}

/* What is held must be what others find by its name: a server that leaves removes the lock and the
 * directory, and whoever had opened them before would otherwise hold a ghost. */
static bool is_named(int fd, const char *path)
{
    struct stat held, named;

    return !fstat(fd, &held) && !lstat(path, &named) && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static bool lock_is_current(const struct runtime_dir *dir)
{
    char path[PATH_MAX + 8];

    snprintf(path, sizeof(path), "%s/lock", dir->path);
    return is_named(dir->fd, dir->path) && is_named(dir->lock_fd, path);
}

/* RUNTIME_DIR_FAILED without an error logged: try again from the start. */
static enum runtime_dir_result take_lock(struct runtime_dir *dir, bool *again)
{
    dir->lock_fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0) {
        *again = errno == ENOENT; /* the directory is being removed */
        if (!*again)
            log_error("cannot create %s/lock: %s", dir->path, strerror(errno));
        return RUNTIME_DIR_FAILED;
    }
    *again = true;
    if (!flock(dir->lock_fd, LOCK_EX | LOCK_NB)) {
        if (lock_is_current(dir))
            return RUNTIME_DIR_OURS;
    } else if (errno != EWOULDBLOCK) {
        log_error("cannot lock %s/lock: %s", dir->path, strerror(errno));
        *again = false;
    } else if (!faccessat(dir->fd, "join", F_OK, 0)) {
        return RUNTIME_DIR_SERVED;
    }
    return RUNTIME_DIR_FAILED;
}

static void let_go(struct runtime_dir *dir)
{
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    if (dir->fd >= 0)
        close(dir->fd);
    dir->fd = dir->lock_fd = -1;
}

/* If another server holds the lock: with `join` there it serves; without, it is either about to
 * make it or on its way out, and both are over in no time. */
enum runtime_dir_result runtime_dir_open(struct runtime_dir *dir, const char *path)
{
    dir->path = path;
    for (int tries = 0; tries < 1000; tries++) {
        enum runtime_dir_result result;
        bool again;

        dir->lock_fd = -1;
        dir->fd = open_directory(path);
        if (dir->fd < 0)
            return RUNTIME_DIR_FAILED;
        result = take_lock(dir, &again);
        if (result == RUNTIME_DIR_OURS)
            return result;
        let_go(dir);
        if (result == RUNTIME_DIR_SERVED || !again)
            return result;
        usleep(5000);
    }
    log_error("%s: somebody holds the lock and does not serve", path);
    return RUNTIME_DIR_FAILED;
}

void runtime_dir_remove(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!stream) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(fd, entry->d_name, 0);
    }
    closedir(stream);
    if (unlinkat(parent, name, AT_REMOVEDIR))
        log_warn("cannot remove %s: %s", name, strerror(errno));
}

static bool is_session_name(const char *name)
{
    return name[0] == 's' && strlen(name) == 17 && strspn(name + 1, "0123456789abcdef") == 16;
}

void runtime_dir_clean(struct runtime_dir *dir)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    unlinkat(dir->fd, "join", 0);
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(stream))) {
        if (is_session_name(entry->d_name) ||
            !strncmp(entry->d_name, ANCHOR_DIR, strlen(ANCHOR_DIR)))
            runtime_dir_remove(dir->fd, entry->d_name);
    }
    closedir(stream);
}

void runtime_dir_leave(struct runtime_dir *dir)
{
    if (dir->lock_fd >= 0) {
        runtime_dir_clean(dir);
        if (!log_has_trouble())
            unlinkat(dir->fd, "log", 0);
        unlinkat(dir->fd, "lock", 0);
        /* Not empty: there is a log, or the next server is here already. */
        if (rmdir(dir->path) && errno != ENOTEMPTY && errno != EEXIST)
            log_warn("cannot remove %s: %s", dir->path, strerror(errno));
    }
    let_go(dir);
}
