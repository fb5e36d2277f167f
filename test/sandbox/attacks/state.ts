import { type Attack, leaves } from '../attack.js';

const KEYS = `
libc = ctypes.CDLL(None)
add, search = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
`;

/** What one run leaves for the next, in another test or in another submission. */
export const STATE: readonly Attack[] = [
    leaves('a file in its work folder', `open("left-@secret@", "w")`, `open("left-@secret@")`),
    leaves(
        'a hidden file in a locked folder',
        `os.mkdir(".d"); open(".d/x", "w"); os.chmod(".d", 0)`,
        `os.stat(".d")`,
    ),
    leaves('a file in /tmp', `open("/tmp/left-@secret@", "w")`, `open("/tmp/left-@secret@")`),
    leaves('a file in /var/tmp', `open("/var/tmp/left-@secret@", "w")`, `open("/var/tmp/left-@secret@")`),
    leaves('a file in /dev/shm', `open("/dev/shm/left-@secret@", "w")`, `open("/dev/shm/left-@secret@")`),
    leaves(
        'shared memory (System V)',
        `assert ctypes.CDLL(None).shmget(0x8c1f@serial@, 4096, 0o1600) >= 0`,
        `assert ctypes.CDLL(None).shmget(0x8c1f@serial@, 4096, 0o600) >= 0`,
    ),
    leaves(
        'semaphores (System V)',
        `assert ctypes.CDLL(None).semget(0x8c1f@serial@, 4, 0o1600) >= 0`,
        `assert ctypes.CDLL(None).semget(0x8c1f@serial@, 4, 0o600) >= 0`,
    ),
    leaves(
        'a message queue (System V)',
        `assert ctypes.CDLL(None).msgget(0x8c1f@serial@, 0o1600) >= 0`,
        `assert ctypes.CDLL(None).msgget(0x8c1f@serial@, 0o600) >= 0`,
    ),
    leaves(
        'a message queue (POSIX)',
        `assert ctypes.CDLL("librt.so.1").mq_open(b"/left-@secret@", 0o102, 0o600, None) >= 0`,
        `assert ctypes.CDLL("librt.so.1").mq_open(b"/left-@secret@", 2) >= 0`,
    ),
    leaves(
        'an abstract socket',
        `s = socket.socket(socket.AF_UNIX)\ns.bind("\\0left-@secret@")\ns.listen(1)\nif os.fork() == 0: time.sleep(60)`,
        `s = socket.socket(socket.AF_UNIX)\ns.connect("\\0left-@secret@")`,
    ),
    leaves(
        'a key in the keyring',
        `${KEYS}assert libc.syscall(add, b"user", b"left-@secret@", b"x", 1, -4) > 0`,
        `${KEYS}assert libc.syscall(search, 10, -4, b"user", b"left-@secret@", 0) > 0`,
    ),
];
