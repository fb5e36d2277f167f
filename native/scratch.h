/* Folders that programs write to: emptying them, copying into them, packing what a compiler made. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include <stdint.h>
#include <sys/types.h>

/* Removes all that a folder holds, however deep and whatever its modes; 0 or -1. Never follows a link. */
int empty_folder(const char *path);
/* Inodes in use in the file system of `path` beside its root. */
uint64_t inodes_used(const char *path);
/* Bytes in use in the file system of `path`, and bytes that it holds at most. */
uint64_t bytes_used(const char *path);
uint64_t bytes_in_all(const char *path);
/* Bytes of the segments of shared memory in the IPC namespace we are in, as far as they are in memory. */
uint64_t ipc_bytes(void);
/* Removes shared memory, semaphores and queues of the IPC namespace we are in. */
void remove_ipc(void);
/* Copies a file, giving it `mode`; makes the folders above it, below `base`. 0 or -1 with errno. */
int copy_file(int from, const char *base, const char *name, mode_t mode);
/*
 * Writes the regular files below `folder` to `out`: for each its name as a text, mode (u32), size (u64), bytes.
 * 0, or -1 with `*why` set.
 */
int pack_folder(const char *folder, int out, uint64_t max_bytes, const char **why);
#endif
