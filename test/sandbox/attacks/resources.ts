import { type Attack, byWord, ends, MARK, python } from '../attack.js';

const TIME = 'TimeLimitExceeded';
/** The wall limit ended it although it used little CPU time: tried once more before it is final. */
const SLEPT = 'TimeLimitExceeded (near-time)';
const MEMORY = 'MemoryLimitExceeded';
const OUTPUT = 'OutputLimitExceeded';
const CRASH = 'RuntimeError';
/** A process crowd is ended by whichever limit it reaches first. */
const ANY_LIMIT = [CRASH, TIME, SLEPT, MEMORY];
const DISK = [CRASH, TIME, SLEPT];

const cpp = (name: string, verdicts: readonly string[], body: string): Attack =>
    ends(
        name,
        'CPP',
        verdicts,
        `${['cstdio', 'cstdlib', 'cstring', 'signal.h', 'sys/wait.h', 'unistd.h'].map((head) => `#include <${head}>\n`).join('')}${body}\n`,
    );

/** One of the programs in `byWord`. */
const java = (name: string, verdicts: readonly string[]): Attack =>
    // A JVM takes a third of a second to start.
    byWord(name, verdicts, { limits: { time: 1, memory: 64 * 1024 * 1024 } });

const py = (name: string, verdicts: readonly string[], source: string): Attack =>
    ends(name, 'PYTHON3', verdicts, python(source));

const CROWDS = [
    py('fork bomb', ANY_LIMIT, 'while True: os.fork()'),
    cpp('fork bomb', [TIME, SLEPT, MEMORY], 'int main() { for (;;) fork(); }'),
    py(
        'fork bomb whose parents leave',
        [...ANY_LIMIT, 'Accepted'],
        'while True:\n    try:\n        if os.fork(): os._exit(0)\n    except OSError: pass',
    ),
    py(
        'fork bomb that ignores errors',
        [TIME, SLEPT, MEMORY],
        'while True:\n    try: os.fork()\n    except OSError: pass',
    ),
    py(
        'thread bomb',
        ANY_LIMIT,
        'import threading\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()',
    ),
    java('thread bomb', [...ANY_LIMIT, 'RuntimeError (signal)']),
    py(
        'zombies',
        ['Accepted', CRASH],
        'try:\n    while True:\n        if os.fork() == 0: os._exit(0)\nexcept OSError: pass',
    ),
];

/** Processes that try to outlive their run. */
const DAEMONS: readonly Attack[] = [
    py(
        'a daemon that is forked twice',
        ['Accepted'],
        `if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.execvp("sleep", ["sleep", "${MARK}"])\n    os._exit(0)`,
    ),
    py(
        'a daemon that holds stdout open',
        ['Accepted'],
        `if os.fork() == 0:\n    os.setsid()\n    os.execvp("sleep", ["sleep", "${MARK}"])`,
    ),
    cpp(
        'a daemon that ignores every signal',
        ['Accepted'],
        `int main() { for (int i = 1; i < 65; i++) signal(i, SIG_IGN); if (!fork()) { setsid(); if (!fork()) execlp("sleep", "sleep", "${MARK}", (char *)0); _exit(0); } wait(0); }`,
    ),
    java('a child that outlives a JVM', ['Accepted']),
];

const TIMES: readonly Attack[] = [
    py('sleeping', [SLEPT], 'time.sleep(100)'),
    cpp('endless loop', [TIME], 'int main() { for (volatile int i = 0;; i++); }'),
    py(
        'ignoring signals',
        [TIME],
        'for s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass',
    ),
    py('stopping itself', [SLEPT], 'os.kill(os.getpid(), signal.SIGSTOP)'),
    py('waiting for input that has ended', ['Accepted'], 'sys.stdin.read()'),
    py(
        'CPU burnt by children nobody waits for',
        [TIME],
        'signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nfor i in range(4):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(60)',
    ),
    cpp(
        'CPU burnt by many short children',
        [TIME, SLEPT],
        'int main() { signal(SIGCHLD, SIG_IGN); for (;;) { if (!fork()) { for (volatile int i = 0; i < 20000000; i++); _exit(0); } wait(0); } }',
    ),
    cpp(
        'CPU burnt in threads',
        [TIME],
        '#include <thread>\nint main() { for (int i = 0; i < 4; i++) std::thread([] { for (volatile int j = 0;; j++); }).detach(); pause(); }',
    ),
];

const MEMORIES: readonly Attack[] = [
    cpp(
        'memory of one process',
        [MEMORY],
        'char *volatile x;\nint main() { for (;;) { x = (char *)malloc(1 << 20); memset(x, 1, 1 << 20); } }',
    ),
    py(
        'memory of one process',
        [MEMORY],
        'x = []\nwhile True: x.append(bytearray(os.urandom(1 << 10)) * 1024)',
    ),
    java('memory of one process', [MEMORY]),
    py(
        'memory of 20 processes',
        [MEMORY],
        'for i in range(20):\n    if os.fork() == 0:\n        x = bytearray(os.urandom(1 << 20)) * 40\n        time.sleep(5)\n        os._exit(0)\ntime.sleep(5)',
    ),
    cpp(
        'memory of 20 processes',
        [MEMORY],
        'char *volatile x;\nint main() { for (int i = 0; i < 20; i++) if (!fork()) { x = (char *)malloc(40 << 20); memset(x, i + 1, 40 << 20); sleep(5); _exit(0); } sleep(5); }',
    ),
    cpp(
        'memory of a process whose main thread has ended',
        [MEMORY],
        '#include <pthread.h>\n#include <sys/syscall.h>\nchar *volatile x;\nvoid *take(void *) { for (int i = 0; i < 400; i++) { x = (char *)malloc(1 << 20); memset(x, 1, 1 << 20); } sleep(5); puts("out"); exit(0); }\nint main() { pthread_t t; pthread_create(&t, 0, take, 0); syscall(SYS_exit, 0); }',
    ),
    cpp(
        'shared memory that it lets go of',
        [MEMORY],
        '#include <sys/mman.h>\nint main() { size_t n = 400 << 20, step = 1 << 20; char *x = (char *)mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); for (size_t i = 0; i < n; i += step) { memset(x + i, 1, step); madvise(x + i, step, MADV_DONTNEED); } sleep(5); puts("out"); }',
    ),
    ends(
        'shared memory that is nobody’s',
        'CPP',
        [MEMORY],
        '#include <cstdio>\n#include <cstring>\n#include <sys/shm.h>\n#include <unistd.h>\nint main() { for (int i = 0; i < 400; i++) { int id = shmget(IPC_PRIVATE, 1 << 20, 0600); void *x = shmat(id, 0, 0); if (id < 0) return 1; memset(x, 1, 1 << 20); shmdt(x); } sleep(5); puts("out"); }\n',
        { under: { rlimit: [CRASH] } },
    ),
    cpp(
        'page tables of many processes',
        [MEMORY, TIME, SLEPT],
        '#include <sys/mman.h>\nint main() { for (int i = 0; i < 50 && fork(); i++); size_t n = 1ul << 30; long sum = 0; for (;;) { volatile char *x = (char *)mmap(0, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); if (x == MAP_FAILED) break; for (size_t i = 0; i < n; i += 2 << 20) sum += x[i]; } sleep(5); return sum != 0; }',
    ),
    cpp(
        'a child that has its parent’s memory is no memory more',
        ['Accepted'],
        '#include <sched.h>\nchar *volatile x;\nchar stack[1 << 16];\nint child(void *) { usleep(100000); _exit(0); }\nint main() { x = (char *)malloc(100 << 20); memset(x, 1, 100 << 20); clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, 0); wait(0); return x[5] != 1; }',
    ),
    py('deep recursion', [CRASH], 'def f(n): return f(n + 1)\nf(0)'),
    py(
        'deep recursion with the guard removed',
        [CRASH, MEMORY],
        'sys.setrecursionlimit(1 << 30)\ndef f(n): return f(n + 1)\nf(0)',
    ),
    cpp(
        'deep recursion',
        [CRASH],
        'int f(volatile int *p) { volatile int a[1000]; a[0] = *p; return f(a) + a[0]; }\nint main() { int x = 0; return f(&x); }',
    ),
    java('deep recursion', [CRASH]),
    py('core dump', [CRASH], 'os.abort()'),
    py('an unexplained signal', ['RuntimeError (signal)'], 'os.kill(os.getpid(), signal.SIGKILL)'),
];

const FLOODS: readonly Attack[] = [
    py('flood of stdout', [OUTPUT], 'while True: os.write(1, b"x" * 65536)'),
    py('flood of stderr', [OUTPUT], 'while True: os.write(2, b"x" * 65536)'),
    cpp(
        'flood of stdout by single bytes',
        [OUTPUT, TIME, SLEPT],
        'int main() { for (;;) write(1, "x", 1); }',
    ),
    java('flood of stdout', [OUTPUT]),
    py(
        'flood by a child after its parent has gone',
        ['Accepted', OUTPUT, 'WrongAnswer'],
        'if os.fork() == 0:\n    while True: os.write(1, b"x" * 65536)',
    ),
];

const FILES: readonly Attack[] = [
    py('many small files', DISK, 'i = 0\nwhile True:\n    open("f%d" % i, "w").close()\n    i += 1'),
    cpp(
        'many folders',
        DISK,
        '#include <sys/stat.h>\nint main() { char n[32]; for (int i = 0;; i++) { sprintf(n, "d%d", i); if (mkdir(n, 0777)) abort(); } }',
    ),
    py(
        'filling the disk',
        DISK,
        'i = 0\nwhile True:\n    with open("big%d" % i, "wb") as f:\n        for j in range(16): f.write(b"x" * (1 << 20))\n    i += 1',
    ),
    py('a file that grows for ever', DISK, 'f = open("big", "wb")\nwhile True: f.write(b"x" * (1 << 20))'),
    py('a huge sparse file', [CRASH, 'Accepted'], 'f = open("huge", "wb")\nf.truncate(1 << 45)'),
    // Its path is longer than any that the kernel accepts.
    py(
        'a deep folder',
        ['Accepted', TIME, SLEPT],
        'for i in range(2100):\n    os.mkdir("d")\n    os.chdir("d")\nos.chmod(".", 0)',
    ),
];

/** Attacks by kind; each kind is stopped by one mechanism of a sandbox. */
export const RESOURCE_KINDS: readonly (readonly Attack[])[] = [
    CROWDS.map((attack) => ({ ...attack, crowd: true })),
    DAEMONS,
    TIMES,
    MEMORIES,
    FLOODS,
    FILES,
];
