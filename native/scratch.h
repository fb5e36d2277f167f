/* Folders that programs write to: emptying them, copying into them, packing what a compiler produced. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include <stdint.h>
#include <sys/types.h>

/* Removes everything in a folder, whatever its depth and modes. Never follows a link. Returns 0 or -1. */
int empty_folder(const char *path);
/* Inodes in use in the file system of `path`, not counting its root. */
uint64_t inodes_used(const char *path);
/* Bytes in use in the file system of `path`, and its capacity in bytes. */
uint64_t bytes_used(const char *path);
uint64_t bytes_in_all(const char *path);
/* Resident bytes of the shared memory segments in our IPC namespace. */
uint64_t ipc_bytes(void);
/* Removes the shared memory, semaphores and queues of our IPC namespace. */
void remove_ipc(void);
/* Copies a file and gives it `mode`, creating its parent folders below `base`. Returns 0, or -1 with errno. */
int copy_file(int from, const char *base, const char *name, mode_t mode);
/*
 * Writes the regular files below `folder` to `out`: for each file its name as a text, mode (u32), size (u64)
 * and bytes. Returns 0, or -1 with `*why` set.
 */
int pack_folder(const char *folder, int out, uint64_t max_bytes, const char **why);
#endif
