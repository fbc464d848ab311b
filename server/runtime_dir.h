/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runtime directory and its lock.  See runtime_dir.c.
 */
#ifndef SERVER_RUNTIME_DIR_H
#define SERVER_RUNTIME_DIR_H

#include <stdbool.h>

struct runtime_dir {
    const char *path;
    int fd, lock_fd;
};

enum runtime_dir_result { RUNTIME_DIR_OURS, RUNTIME_DIR_SERVED, RUNTIME_DIR_FAILED };

/* Creates and checks the directory and takes its lock.  SERVED: another server has it. */
enum runtime_dir_result runtime_dir_open(struct runtime_dir *dir, const char *path);
/* Removes what an earlier server left behind. */
void runtime_dir_clean(struct runtime_dir *dir);
/* Removes the lock and the directory's content and gives the lock back. */
void runtime_dir_leave(struct runtime_dir *dir);
/* Removes a directory of plain files below `parent`. */
void runtime_dir_remove(int parent, const char *name);

#endif
