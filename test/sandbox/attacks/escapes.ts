import {
    type Attack,
    byWord,
    ends,
    type NotHeld,
    python,
    tries,
    triesInCpp,
    triesInJava,
} from '../attack.js';

const not = (notHeld: string): NotHeld => ({ notHeld });
const WORLD = { rlimit: not('the list of processes can be read') } as const;

const READING: readonly Attack[] = [
    tries('reading the answers', `for line in open("@stage@/0.ans"): pass`),
    tries('listing other samples', `os.listdir("@folder@/stage")`),
    tries('reading a home', `open("@folder@/home/@secret@").read()`),
    triesInCpp('reading a home', `fopen("@folder@/home/@secret@", "r")`),
    triesInJava('reading a home', `Files.readString(Path.of("@folder@/home/@secret@"));`),
    tries('reading the checkpoint directory', `os.listdir("@folder@/checkpoints")`),
    tries('the environment of the run', `assert "@secret@" in str(os.environ)`),
    tries('memory of its parent', `open("/proc/%d/mem" % os.getppid(), "rb")`),
    tries('environment of its parent', `open("/proc/%d/environ" % os.getppid()).read()`),
    tries('environment of the run by its pid', `assert "@secret@" in open("/proc/@pid@/environ").read()`),
    tries('descriptors of its parent', `os.listdir("/proc/%d/fd" % os.getppid())`),
    tries('other descriptors than 0 to 2', `assert [f for f in os.listdir("/proc/self/fd") if int(f) > 3]`),
    tries('processes of others', `assert len([p for p in os.listdir("/proc") if p.isdigit()]) > 4`, WORLD),
    tries(
        'the name of its test',
        `assert os.readlink("/proc/self/fd/0").count("/") > 1 or os.fstat(0).st_mtime < time.time() - 86400`,
    ),
    tries('sockets that no namespace holds', `socket.socket(40, socket.SOCK_STREAM)`),
    tries(
        'sockets of any other family',
        `families = [f for f in range(1, 46) if f not in (1, 2, 10)]\nfor f in families:\n    for kind in (1, 2, 3, 5):\n        try: socket.socket(f, kind)\n        except OSError: continue\n        return\nraise OSError`,
    ),
    tries('memory that nobody counts', `os.write(os.memfd_create("x"), b"x")`),
    tries('users of this machine', `open("/etc/passwd").read()`, {
        rlimit: not('what is in /etc can be read'),
    }),
];

const WRITING: readonly Attack[] = [
    tries('writing to the results', `open("@folder@/results/sample.json", "a").write("x")`),
    triesInJava(
        'writing to the results',
        `Files.writeString(Path.of("@folder@/results/sample.json"), "x", StandardOpenOption.APPEND);`,
    ),
    tries('deleting the results', `os.unlink("@folder@/results/sample.json")`),
    tries('changing the mode of the results', `os.chmod("@folder@/results", 0o777)`),
    tries('writing to its stdin', `os.write(os.open("/proc/self/fd/0", os.O_RDWR), b"x")`),
    tries(
        'changing the mode of its stdin',
        `os.fchmod(0, 0o777); os.write(os.open("/proc/self/fd/0", os.O_RDWR), b"x")`,
    ),
    tries('changing its own source', `os.chmod(__file__, 0o777); open(__file__, "a")`),
    tries('writing to the root', `open("/file", "w")`),
    tries('writing to /dev', `open("/dev/file", "w")`),
    tries('a link out of the work folder', `os.symlink("@folder@/home/@secret@", "x"); open("x").read()`),
    tries(
        'a link in place of the work folder',
        `work = os.getcwd()\nos.rename(work, work + "-away")\nos.symlink("@folder@/home", work)`,
    ),
    ends(
        'links for the clean-up to follow',
        'PYTHON3',
        ['Accepted'],
        python(
            'os.mkdir("d")\nfor at in (".", "d"):\n    os.symlink("@folder@/home", at + "/folder")\n    os.symlink("@folder@/home/@secret@", at + "/file")\nos.fchmod(os.open("d", os.O_RDONLY), 0)',
        ),
        { inputs: ['', ''] },
    ),
    tries(
        'more than its scratch holds',
        `f = open("/dev/shm/x", "wb")\nfor i in range(300): f.write(b"x" * (1 << 20))`,
    ),
];

const NETWORKING: readonly Attack[] = [
    tries('the network: localhost', `socket.create_connection(("127.0.0.1", @port@), 2)`),
    triesInJava('the network: localhost', `new Socket("127.0.0.1", @port@);`),
    tries(
        'the network: out',
        `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(("192.0.2.1", 9))\ns.send(b"x")`,
    ),
    tries('a socket of the machine', `s = socket.socket(socket.AF_UNIX)\ns.connect("\\0@secret@")`),
];

const POWERS: readonly Attack[] = [
    tries(
        'killing its parent',
        `os.kill(os.getppid(), 9); time.sleep(.2); assert os.getppid() == 1 and not os.path.exists("/src")`,
    ),
    tries('killing the run', `os.kill(@pid@, 0)`),
    triesInCpp('killing the run', `kill(@pid@, 0) == 0`),
    tries('tracing its parent', `assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0`),
    triesInCpp('tracing the run', `ptrace(PTRACE_SEIZE, @pid@, 0, 0) == 0`),
    triesInCpp('nested namespaces', `unshare(CLONE_NEWUSER) == 0`),
    tries('mounting', `assert ctypes.CDLL(None).mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0`),
    triesInCpp(
        'mounting in a namespace',
        `unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && mount("x", "/tmp", "tmpfs", 0, 0) == 0`,
    ),
    tries('changing the root', `os.chroot(".")`),
    tries('raising its limits', `import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (10000, 10000))`),
    triesInCpp(
        'raising its limits',
        `[] { rlimit l{RLIM_INFINITY, RLIM_INFINITY}; return setrlimit(RLIMIT_AS, &l) == 0 || setrlimit(RLIMIT_CPU, &l) == 0; }()`,
    ),
    triesInCpp(
        'real-time priority',
        `[] { sched_param p{1}; return sched_setscheduler(0, SCHED_FIFO, &p) == 0; }()`,
    ),
    tries('a higher priority', `os.nice(-5)`),
    tries(
        'limits of its parent',
        `import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (64, 64))`,
    ),
    tries(
        'slowing its parent down',
        `parent = os.getppid()
def state(): return os.sched_getscheduler(parent), os.sched_getaffinity(parent), os.getpriority(os.PRIO_PROCESS, parent)
before = state()
for call in [
    lambda: os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0)),
    lambda: os.sched_setaffinity(parent, {min(os.sched_getaffinity(0))}),
    lambda: os.setpriority(os.PRIO_PROCESS, parent, 1),
    lambda: os.setpriority(os.PRIO_USER, 0, 1),
]:
    try: call()
    except OSError: pass
# Some calls say that they succeeded, and did nothing.
assert state() != before`,
    ),
    tries(
        'slowing the files of its parent down',
        `call = {"x86_64": 251, "aarch64": 30}[platform.machine()]
assert 0 in [ctypes.CDLL(None).syscall(call, which, who, 3 << 13) for which, who in ((1, os.getppid()), (3, os.getuid()))]`,
    ),
    tries('watches on files, which are few', `assert ctypes.CDLL(None).inotify_init() >= 0`),
    tries(
        'pages that the machine keeps for others',
        `libc = ctypes.CDLL(None)\nlibc.mmap.restype = ctypes.c_long\nassert libc.mmap(None, ctypes.c_size_t(2 << 20), 3, 0x44022, -1, ctypes.c_long(0)) != -1`,
    ),
    triesInCpp(
        'timers without number',
        `[] { sigevent e{}; e.sigev_notify = SIGEV_NONE; timer_t t; int n = 0; while (n < 3000 && timer_create(CLOCK_MONOTONIC, &e, &t) == 0) n++; return n == 3000; }()`,
    ),
    tries(
        'becoming root',
        `os.setuid(0)\nassert open("/proc/self/status").read().find("NoNewPrivs:\\t1") < 0`,
    ),
    tries(
        'loading a program into the kernel',
        `assert ctypes.CDLL(None).syscall({"x86_64": 321, "aarch64": 280}[platform.machine()], 0, (ctypes.c_char * 64)(1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1), 64) >= 0`,
    ),
];

const CHEATS: readonly Attack[] = [
    ends(
        'writing to every descriptor, then closing it',
        'PYTHON3',
        ['Accepted'],
        python(
            'for fd in range(3, 1024):\n    try: os.write(fd, b"\\2" * 100)\n    except OSError: pass\nfor fd in range(1024):\n    try: os.close(fd)\n    except OSError: pass\nos._exit(0)',
        ),
        { inputs: ['', ''] },
    ),
    ends(
        'printing the report of an accepted run',
        'PYTHON3',
        ['WrongAnswer'],
        python(
            'import struct\nfake = struct.pack("<BIIBIQQQBQQB", 2, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0) + struct.pack("<IBIB", 0, 0, 0, 0)\nfor fd in [1, 2] + list(range(3, 256)):\n    try: os.write(fd, struct.pack("<II", len(fake) + 4, 1) + fake + b\'{"accepted":true,"verdict":"Accepted"}\\n\')\n    except OSError: pass',
        ),
    ),
    ends(
        'a false report of its time',
        'CPP',
        ['TimeLimitExceeded'],
        '#include <sys/prctl.h>\n#include <unistd.h>\nint main() { prctl(PR_SET_NAME, "x) S 1 1 1 0 -1"); for (volatile int i = 0;; i++); }\n',
    ),
    ends(
        'a name that breaks the look at /proc',
        'CPP',
        ['MemoryLimitExceeded'],
        '#include <cstdlib>\n#include <cstring>\n#include <sys/prctl.h>\n#include <unistd.h>\nchar *volatile x;\nint main() { prctl(PR_SET_NAME, ") 0 (\\n 0 0 0"); for (int i = 0; i < 10; i++) if (!fork()) { x = (char *)malloc(60 << 20); memset(x, i + 1, 60 << 20); sleep(5); _exit(0); } sleep(5); }\n',
    ),
    byWord('ending well without an answer', ['Accepted'], { limits: { time: 1 } }),
];

export const ESCAPES: readonly Attack[] = [...READING, ...WRITING, ...NETWORKING, ...POWERS, ...CHEATS];

/** Those that do not affect the next attack in the same program: in Python, and not against the program's own parent. */
export const COMBINABLE: readonly (readonly Attack[])[] = [READING, NETWORKING, POWERS].map((attacks) =>
    attacks.filter(({ name, statements }) => statements !== undefined && name !== 'killing its parent'),
);
