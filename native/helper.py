"""The helper used without a C compiler: the same messages as helper.c, slower, and with a higher floor for peak memory.

wire.h describes the messages, helper.c the two roles. Runs on any Python 3.6 or later, with nothing but its own library.
"""

import ctypes
import errno
import fcntl
import functools
import os
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import sys
import time

OP_OPEN, OP_RUN, OP_COLLECT, OP_CLOSE = 1, 2, 3, 4
OPENED, RESULT, COLLECTED, GONE, DIED = 1, 2, 3, 4, 5
CPU, WALL, MEMORY, OUTPUT, FILES = 1, 2, 3, 4, 5
PACKET_MAX, STDERR_KEPT, SPILL_FILES, NO_SLOT, MAX_INODES = 200000, 16384, 16, 255, 20000
TICK = 0.01
# Timers and queued signals of a program, and page tables of one of its processes, in bytes.
MAX_TIMERS = 1024
SMALL_TABLES = 1 << 20
CLOSE_PATIENCE = 3.0
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 36, 38
F_ADD_SEALS, ALL_SEALS = 1033, 15
CLOCK_TICK, PAGE = os.sysconf('SC_CLK_TCK'), os.sysconf('SC_PAGESIZE')

libc = ctypes.CDLL(None, use_errno=True)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value = struct.unpack_from('<' + form, self.data, self.at)[0]
        self.at += struct.calcsize('<' + form)
        return value

    def u8(self):
        return self.number('B')

    def u32(self):
        return self.number('I')

    def u64(self):
        return self.number('Q')

    def text(self):
        length = self.u32()
        value = bytes(self.data[self.at : self.at + length])
        self.at += length + 1
        return value

    def texts(self):
        return [self.text() for _ in range(self.u32())]

    def rest(self):
        return bytes(self.data[self.at :])


def text(value):
    return struct.pack('<I', len(value)) + value + b'\0'


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def send(sock, data, fds=()):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('%di' % len(fds), *fds))] if fds else []
    sock.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)


def receive(sock):
    try:
        data, ancillary, _, _ = sock.recvmsg(PACKET_MAX, socket.CMSG_SPACE(4 * SPILL_FILES))
    except ConnectionError:
        return b'', []
    fds = []
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            count = len(payload) // 4
            fds.extend(struct.unpack('%di' % count, payload[: count * 4]))
    return data, fds


def sealed_copy(source, data):
    """A sealed copy of bytes: nobody can change it, however a program obtains its own descriptor."""
    fd = os.memfd_create('stdin', 2 | 1)
    while source is not None:
        data = os.read(source, 1 << 20)
        if not data:
            break
        write_all(fd, data)
    if source is None:
        write_all(fd, data)
    fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
    readable = os.open('/proc/self/fd/%d' % fd, os.O_RDONLY | os.O_CLOEXEC)
    os.close(fd)
    return readable


# ---------------------------------------------------------------- the processes of a box


class Tree:
    """Everything that a program has started: how much it uses, and how to kill it."""

    def __init__(self, own_namespace, uid):
        self.own_namespace, self.uid = own_namespace, uid

    def pids(self):
        if self.own_namespace:
            return [int(name) for name in os.listdir('/proc') if name.isdigit() and name != '1']
        found = self.children(os.getpid())
        for pid in found:
            found.extend(self.children(pid))
        return found

    @staticmethod
    def children(pid):
        found = []
        try:
            for tid in os.listdir('/proc/%d/task' % pid):
                with open('/proc/%d/task/%s/children' % (pid, tid)) as file:
                    found.extend(int(child) for child in file.read().split())
        except OSError:
            pass
        return found

    def usage(self, careful):
        """(CPU seconds, bytes); shared pages are divided among their users once the plain sum exceeds `careful`."""
        cpu, tables, sizes = 0.0, 0, {}
        for pid in self.pids():
            of = '/proc/%d' % pid
            fields = read_figures(of)
            if fields is None:
                continue
            cpu += sum(int(field) for field in fields[11:15]) / CLOCK_TICK
            if fields[0] == 'Z' and int(fields[17]) > 1:
                of, fields = find_memory(of, fields)
            sizes[pid] = int(fields[21]) * PAGE
            tables += excess_of_tables(of, int(fields[20]), sizes[pid])
        if len(sizes) > 1 and sum(sizes.values()) > careful:
            sizes = {pid: proportional(pid, sizes[pid]) for pid in distinct_memories(list(sizes))}
        return cpu, sum(sizes.values()) + tables

    def delay(self):
        """Seconds that live threads have waited for a processor, summed: each waits while another runs."""
        total = 0
        for pid in self.pids():
            try:
                for tid in os.listdir('/proc/%d/task' % pid):
                    with open('/proc/%d/task/%s/schedstat' % (pid, tid)) as file:
                        total += int(file.read().split()[1])
            except OSError:
                pass
        return total / 1e9

    def kill(self):
        if self.own_namespace:
            signal_all()
        elif not self.uid or not kill_uid(self.uid):
            seen = -1
            while True:
                found = self.pids()
                for pid in found:
                    send_signal(pid, signal.SIGSTOP)
                if len(found) <= seen:
                    break
                seen = len(found)
            for pid in found:
                send_signal(pid, signal.SIGKILL)


def kill_uid(uid):
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os.setresuid(uid, uid, uid)
        signal_all()
        os._exit(0)
    return True


def signal_all():
    send_signal(-1, signal.SIGKILL)


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def read_figures(of):
    """The fields of the file `stat` of a process or thread after its name; None if it is gone."""
    try:
        with open(of + '/stat', errors='replace') as file:
            return file.read().rpartition(')')[2].split()
    except OSError:
        return None


def find_memory(of, fields):
    """A main thread that has ended shows no memory, unlike the threads that still run. Folder and figures of one of those."""
    try:
        for tid in os.listdir(of + '/task'):
            thread = '%s/task/%s' % (of, tid)
            figures = read_figures(thread)
            if figures is not None and int(figures[21]) > 0:
                return thread, figures
    except OSError:
        pass
    return of, fields


def excess_of_tables(of, mapped, used):
    """Bytes of page tables beyond those that the pages of a process account for. Small if little is mapped."""
    if mapped // 512 <= SMALL_TABLES:
        return 0
    try:
        with open(of + '/status', errors='replace') as file:
            for line in file:
                if line.startswith('VmPTE:'):
                    return max(0, int(line.split()[1]) * 1024 - used // 64 - SMALL_TABLES)
    except OSError:
        pass
    return 0


def distinct_memories(pids):
    """Without processes that share another's memory: a child that has not executed a program yet has its parent's."""
    call = {'x86_64': 312, 'aarch64': 272}.get(os.uname().machine)

    def compare(a, b):
        order = libc.syscall(call, a, b, 1, 0, 0) if call else -1
        return {0: 0, 1: -1, 2: 1}.get(order, a - b)

    pids.sort(key=functools.cmp_to_key(compare))
    return [pid for i, pid in enumerate(pids) if i == 0 or compare(pids[i - 1], pid) != 0]


def proportional(pid, otherwise):
    try:
        with open('/proc/%d/smaps_rollup' % pid) as file:
            for line in file:
                if line.startswith('Pss:'):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return otherwise


# ---------------------------------------------------------------- one program


class Sink:
    """Receives the output of a pipe: the first bytes in memory, and all of it in a file once it exceeds them."""

    def __init__(self, box, request, kept_max, file):
        self.fd, self.write_end = os.pipe()
        # So that another user's program can open its /dev/stdout.
        if box.uid:
            os.fchmod(self.write_end, 0o666)
        os.set_blocking(self.fd, False)
        self.kept_max, self.limit, self.file = kept_max, request.output, file
        self.file_bytes, self.file_max = 0, request.file_max
        self.kept, self.bytes, self.over, self.spilled = b'', 0, False, 0

    def drain(self):
        while self.fd >= 0 and not self.over:
            try:
                chunk = os.read(self.fd, 65536)
            except BlockingIOError:
                return
            if not chunk:
                self.close()
                return
            self.take(chunk)

    def take(self, chunk):
        self.bytes += len(chunk)
        self.over = bool(self.limit) and self.bytes > self.limit
        if self.over:
            return
        fits = chunk[: self.kept_max - len(self.kept)]
        try:
            bounded = self.limit or self.file_max
            if self.file is not None and bounded and not self.spilled and len(fits) < len(chunk):
                self.spilled = 1
                os.ftruncate(self.file, 0)
                os.lseek(self.file, 0, os.SEEK_SET)
                self.add_to_file(self.kept)
            if self.spilled == 1:
                self.add_to_file(chunk)
        except OSError:
            self.spilled = 2
        self.kept += fits

    def add_to_file(self, data):
        # Anything beyond the file's bound is counted and dropped.
        if self.file_max:
            data = data[: self.file_max - self.file_bytes]
        self.file_bytes += len(data)
        write_all(self.file, data)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Request:
    def __init__(self, reader, fds):
        self.id, self.slot, self.err_slot, self.keep = reader.u32(), reader.u8(), reader.u8(), reader.u8()
        self.cpu, self.wall = reader.u64() / 1e9, reader.u64() / 1e9
        self.memory, self.address_space, self.output = reader.u64(), reader.u64(), reader.u64()
        self.file_max = reader.u64()
        self.stack, self.file_size = reader.u64(), reader.u64()
        self.processes, self.files, self.inline_max = reader.u32(), reader.u32(), reader.u32()
        reader.u8()  # whether it talks to a peer; not supported here
        self.argv, self.fds = reader.texts(), fds

    def limits(self, others):
        yield resource.RLIMIT_CORE, 1, True  # smaller than any dump; 0 would start the program that dumps are piped to
        yield resource.RLIMIT_NPROC, self.processes + others, self.processes
        yield 12, 0, self.processes  # RLIMIT_MSGQUEUE
        yield 11, MAX_TIMERS, self.processes  # RLIMIT_SIGPENDING
        yield resource.RLIMIT_NOFILE, self.files, self.files
        yield resource.RLIMIT_FSIZE, self.file_size, self.file_size
        yield resource.RLIMIT_STACK, self.stack, self.stack
        yield resource.RLIMIT_CPU, int(self.cpu) + 2, self.cpu
        yield resource.RLIMIT_AS, self.address_space, self.address_space


def become_program(box, request, out, err, problem):
    """Runs in the child and never returns."""
    try:
        os.setsid()
        given = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for fd in request.fds[1:]]
        for target, fd in enumerate([request.fds[0], out, err] + given):
            os.dup2(fd, target)
        problem = fcntl.fcntl(problem, fcntl.F_DUPFD_CLOEXEC, 64)
        top = 3 + len(given)
        os.closerange(top, problem)
        os.closerange(problem + 1, 4096)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        for which, value, wanted in request.limits(box.others):
            if wanted:
                set_limit(which, value)
        if request.processes:
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if box.uid:
            os.setgroups([])
            os.setresgid(box.uid, box.uid, box.uid)
            os.setresuid(box.uid, box.uid, box.uid)
        if box.cwd:
            os.chdir(box.cwd)
        os.execvpe(request.argv[0], request.argv, box.env)
    except OSError as error:
        os.write(problem, struct.pack('<I', error.errno or errno.EINVAL))
    finally:
        os._exit(127)


def threads_of(uid):
    """What RLIMIT_NPROC counts, outside a user namespace of our own."""
    count = 0
    for name in os.listdir('/proc'):
        try:
            if name.isdigit() and os.stat('/proc/' + name).st_uid == uid:
                count += len(os.listdir('/proc/%s/task' % name))
        except OSError:
            pass
    return count


def set_limit(which, value):
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY and hard < value and os.geteuid() != 0:
        value = hard
    # Programs may raise their stack limit, even to infinity; the stack that they use counts as memory.
    resource.setrlimit(which, (value, hard if which == resource.RLIMIT_STACK else value))


class Run:
    def __init__(self, box, request):
        self.box, self.request = box, request
        err_file = None if request.err_slot == NO_SLOT else box.spill[request.err_slot % SPILL_FILES]
        self.out = Sink(box, request, request.inline_max, box.spill[request.slot % SPILL_FILES])
        self.err = Sink(box, request, STDERR_KEPT, err_file)
        self.limit, self.status, self.done, self.hung_up = 0, 0, False, False
        self.cpu, self.cpu_seen, self.cpu_lost, self.peak = 0.0, 0.0, 0.0, 0
        self.delay_seen, self.delay_lost = 0.0, 0.0

    def go(self):
        problem, problem_end = os.pipe()
        self.start = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            become_program(self.box, self.request, self.out.write_end, self.err.write_end, problem_end)
        for fd in [problem_end, self.out.write_end, self.err.write_end] + self.request.fds:
            os.close(fd)
        said = os.read(problem, 4)
        os.close(problem)
        self.start_errno = struct.unpack('<I', said)[0] if said else 0
        self.watch()
        wall = time.monotonic() - self.start
        gone = self.kill_all()
        if self.limit != OUTPUT:
            self.out.drain()
            self.err.drain()
            if (self.out.over or self.err.over) and not self.limit:
                self.limit = OUTPUT
        self.out.close()
        self.err.close()
        if self.hung_up or not gone:
            return False
        self.reply(wall)
        return True

    def reap(self):
        """Returns False when no child is left."""
        while True:
            try:
                pid, status, use = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.cpu += use.ru_utime + use.ru_stime
            self.peak = max(self.peak, use.ru_maxrss * 1024)
            if pid == self.pid and not self.done:
                self.done, self.status = True, status

    def watch(self):
        request, poll = self.request, select.poll()
        poll.register(self.box.channel, select.POLLRDHUP)
        poll.register(self.box.wakeup, select.POLLIN)
        sinks = {sink.fd: sink for sink in (self.out, self.err)}
        for fd in sinks:
            poll.register(fd, select.POLLIN)
        next_tick = self.start + TICK
        next_delay_look = self.start + 1
        wall_end = self.start + request.wall if request.wall else 0
        while True:
            left = self.reap()
            now = time.monotonic()
            if self.done or self.limit or self.hung_up:
                if self.done and left and request.memory:
                    self.peak = max(self.peak, self.box.tree.usage(request.memory // 2)[1])
                return
            if wall_end and now >= wall_end:
                # If CPU time decides, time spent waiting for a processor extends the wall-time limit.
                waited = self.delay_so_far() if request.cpu else 0
                wall_end = self.start + request.wall + min(waited, 9 * request.wall)
                if now >= wall_end:
                    self.limit = WALL
                continue
            if request.cpu and now >= next_delay_look:
                self.delay_so_far()
                next_delay_look = now + 0.1
            if now >= next_tick:
                self.tick()
                next_tick = now + TICK * (1 if now - self.start < 1 else 2)
                continue
            until = min(next_tick, wall_end) if wall_end else next_tick
            for fd, _ in poll.poll(max(0, until - now) * 1000):
                if fd == self.box.channel.fileno():
                    self.hung_up = True
                elif fd == self.box.wakeup:
                    os.read(fd, 4096)
                else:
                    sinks[fd].drain()
                    if sinks[fd].fd < 0:
                        poll.unregister(fd)
            if self.out.over or self.err.over:
                self.limit = OUTPUT

    def tick(self):
        request = self.request
        if request.cpu or request.memory:
            live, memory = self.box.tree.usage(request.memory // 2 if request.memory else 1 << 62)
            self.peak = max(self.peak, memory)
            cpu = self.cpu + live
            if cpu + 0.05 < self.cpu_seen:
                self.cpu_lost += self.cpu_seen - cpu
            self.cpu_seen = cpu
            if request.cpu and cpu + self.cpu_lost > request.cpu:
                self.limit = CPU
            if request.memory and memory > request.memory:
                self.limit = MEMORY
        if self.box.tree.own_namespace and any(inodes_used(folder) > MAX_INODES for folder in self.box.clean):
            self.limit = FILES

    def delay_so_far(self):
        # The waiting time of a thread disappears with it.
        living = self.box.tree.delay()
        self.delay_lost += max(0, self.delay_seen - living)
        self.delay_seen = living
        return living + self.delay_lost

    def kill_all(self):
        give_up = time.monotonic() + 10
        pause = 0.0005
        while self.reap():
            self.box.tree.kill()
            time.sleep(pause)
            pause = min(0.02, pause * 2)
            if time.monotonic() > give_up:
                return False
        return True

    def reply(self, wall):
        signaled = os.WIFSIGNALED(self.status)
        value = os.WTERMSIG(self.status) if signaled else os.WEXITSTATUS(self.status)
        cpu = max(self.cpu, self.cpu_seen) + self.cpu_lost
        head = struct.pack('<BIIBI', RESULT, self.request.id, self.start_errno, signaled, value)
        figures = struct.pack(
            '<QQQBQQBB',
            int(cpu * 1e9),
            int(wall * 1e9),
            self.peak,
            self.limit,
            self.out.bytes,
            self.err.bytes,
            self.out.spilled,
            self.err.spilled,
        )
        send(self.box.channel, head + figures + text(self.out.kept) + text(self.err.kept) + struct.pack('<Q', time.monotonic_ns()) + text(b''))


def inodes_used(folder):
    info = os.statvfs(folder)
    return info.f_files - info.f_ffree - 1 if info.f_files else 0


def empty_folder(folder):
    """Removes the content of a folder, however deep and whatever its modes; never follows a link."""
    os.chmod(folder, 0o700)
    serial = 0
    while True:
        entries = list(os.scandir(folder))
        if not entries:
            return
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if not inner.is_dir(follow_symlinks=False):
                    os.unlink(inner.path)
                    continue
                # Move it up, so that deep nesting costs neither stack nor a longer path.
                os.chmod(inner.path, 0o700)
                serial += 1
                os.rename(inner.path, os.path.join(folder, b'.lifted-%d' % serial))
            os.rmdir(entry.path)


def remove_ipc():
    for kind, call in (('shm', libc.shmctl), ('sem', libc.semctl), ('msg', libc.msgctl)):
        try:
            with open('/proc/sysvipc/' + kind) as file:
                ids = [int(line.split()[1]) for line in file.readlines()[1:]]
        except OSError:
            continue
        for one in ids:
            call(one, 0, 0, 0) if kind == 'sem' else call(one, 0, None)


# ---------------------------------------------------------------- a box


class Box:
    def __init__(self, channel):
        self.channel = channel
        self.wakeup, write_end = os.pipe()
        for fd in (self.wakeup, write_end):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def configure(self):
        data, fds = receive(self.channel)
        if len(fds) != SPILL_FILES:
            return False
        reader = Reader(data)
        self.own_namespace = reader.u8() == 1
        uid = reader.u32()
        # Inside bwrap, serve has already changed the uid of all our processes.
        self.uid = 0 if self.own_namespace else uid
        shared = not self.own_namespace and not self.uid and os.geteuid() != 0
        self.others = threads_of(os.geteuid()) if shared else 0
        self.cwd = reader.text()
        self.env = dict(pair.partition(b'=')[::2] for pair in reader.texts())
        self.clean = reader.texts()
        self.readable = reader.texts()
        self.compiles = reader.u8() == 1
        self.spill = fds
        self.tree = Tree(self.own_namespace, self.uid)
        return True

    def serve(self):
        if not self.configure():
            return
        send(self.channel, struct.pack('<B', OPENED))
        while True:
            data, fds = receive(self.channel)
            if not data or not self.handle(Reader(data), fds):
                return

    def handle(self, reader, fds):
        op = reader.u8()
        reader.u32()
        if op == OP_COLLECT:
            self.collect(reader, fds[0])
            return True
        request = Request(reader, fds)
        if not Run(self, request).go():
            return False
        if not request.keep:
            self.tidy_up()
        return True

    def tidy_up(self):
        for folder in self.clean:
            empty_folder(folder)
        if self.own_namespace:
            remove_ipc()

    def collect(self, reader, out):
        number, folder, left, why = reader.u32(), reader.text(), reader.u64(), b''
        try:
            for base, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(base, name)
                    info = os.lstat(path)
                    if not stat.S_ISREG(info.st_mode):
                        continue
                    left -= info.st_size
                    if left < 0:
                        raise OSError(errno.EFBIG, 'the output is too large')
                    with open(path, 'rb') as file:
                        head = text(os.path.relpath(path, folder))
                        write_all(out, head + struct.pack('<IQ', info.st_mode & 0o777, info.st_size) + file.read())
        except OSError as error:
            why = str(error).encode()
        os.close(out)
        send(self.channel, struct.pack('<BIB', COLLECTED, number, not why) + text(why))
        self.tidy_up()


def box_main(channel):
    # No program may inspect this process, by ptrace or through its folder in /proc.
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.umask(0o022)
    os.closerange(channel.fileno() + 1, 4096)
    try:
        Box(channel).serve()
    except BrokenPipeError:
        pass


# ---------------------------------------------------------------- serve


class Served:
    """A box as seen by serve."""

    def __init__(self, number, kind, uid, guard, folder, spill):
        self.number, self.kind, self.uid, self.guard = number, kind, uid, guard
        self.folder, self.spill = folder, spill
        self.channel, self.errors, self.pid, self.status = None, -1, 0, 0
        self.asked_to_close, self.kill_at = False, None

    def start(self, argv, files, settings):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.errors, errors_end = os.pipe()
        os.set_blocking(self.errors, False)
        self.channel = ours
        if self.kind == 0 and self.folder:
            self.make_folders(files)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if self.kind == 1:
                    self.become_bwrap(argv, files, theirs, errors_end)
                else:
                    os.dup2(theirs.fileno(), 3)
                    box_main(socket.socket(fileno=3))
            finally:
                os._exit(0)
        os.close(errors_end)
        theirs.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        spill = [os.open(self.spill + b'.%d' % slot, flags, 0o600) for slot in range(SPILL_FILES)]
        send(ours, struct.pack('<BI', self.kind, self.uid) + settings, spill)
        for fd in spill:
            os.close(fd)

    def make_folders(self, files):
        before = os.umask(0o022)
        os.mkdir(self.folder, 0o711 if self.uid else 0o700)
        source, work = os.path.join(self.folder, b'src'), os.path.join(self.folder, b'box')
        os.mkdir(source, 0o755)
        os.mkdir(work, 0o700)
        if self.uid:
            os.chown(work, self.uid, self.uid)
        for host, name, mode in files:
            target = os.path.join(source, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(host, target)
            os.chmod(target, mode & 0o555)
        os.umask(before)

    def become_bwrap(self, argv, files, channel, errors):
        try:
            script = os.open(__file__, os.O_RDONLY)
            placed = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for fd in (channel.fileno(), script, errors)]
            os.dup2(placed[2], 2)
            os.dup2(placed[0], 3)
            os.dup2(placed[1], 4)
            os.closerange(5, 4096)
            null = os.open('/dev/null', os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            at = argv.index(b'@files')
            extra = []
            for host, name, mode in files:
                fd = os.open(host, os.O_RDONLY)
                os.set_inheritable(fd, True)
                extra += [b'--perms', b'%04o' % mode, b'--ro-bind-data', b'%d' % fd, name]
            if self.uid:
                os.setgroups([])
                os.setresgid(self.uid, self.uid, self.uid)
                os.setresuid(self.uid, self.uid, self.uid)
            command = argv[:at] + extra + argv[at + 1 :] + [b'/proc/self/fd/4', b'box']
            os.execve(command[0], command, {'PATH': '/usr/bin:/bin'})
        except (OSError, ValueError) as error:
            os.write(2, str(error).encode())
            os._exit(71)

    def hang_up(self):
        if self.channel is not None:
            self.channel.close()
        self.channel = None
        self.kill_at = self.kill_at or time.monotonic() + CLOSE_PATIENCE

    def remove_traces(self):
        for slot in range(SPILL_FILES):
            # They are kept for the next box of this place.
            try:
                os.truncate(self.spill + b'.%d' % slot, 0)
            except OSError:
                pass
        if self.folder and os.path.isdir(self.folder):
            for path in (self.folder, os.path.join(self.folder, b'box')):
                if os.path.isdir(path):
                    os.chmod(path, 0o700)
            empty_folder(self.folder)
            os.rmdir(self.folder)

    def last_words(self):
        try:
            said = os.read(self.errors, 4000).strip()
        except OSError:
            said = b''
        if said:
            return said
        if os.WIFSIGNALED(self.status):
            return b'killed by signal %d' % os.WTERMSIG(self.status)
        return b'exit code %d' % os.WEXITSTATUS(self.status)


class Serve:
    def __init__(self):
        self.boxes, self.pending, self.node_open, self.places = {}, b'', True, set()

    def reply(self, number, data):
        try:
            write_all(1, struct.pack('<II', len(data) + 4, number) + data)
        except OSError:
            os._exit(0)

    def not_started(self, number, run, problem):
        head = struct.pack('<BIIBI', RESULT, run, problem, 0, 127)
        self.reply(number, head + struct.pack('<QQQBQQBB', 0, 0, 0, 0, 0, 0, 0, 0) + text(b'') + text(b'')
                   + struct.pack('<Q', time.monotonic_ns()) + text(b''))

    def handle(self, data):
        reader = Reader(data)
        op, number = reader.u8(), reader.u32()
        box = self.boxes.get(number)
        if op == OP_OPEN:
            self.open(number, reader)
        elif box is None or box.channel is None:
            return
        elif op == OP_CLOSE:
            box.asked_to_close = True
            box.hang_up()
        elif op == OP_RUN:
            self.run(box, reader)
        elif op == OP_COLLECT:
            self.collect(box, reader)

    def open(self, number, reader):
        box = Served(number, reader.u8(), reader.u32(), reader.u8() == 1, reader.text(), reader.text())
        argv = reader.texts()
        files = [(reader.text(), reader.text(), reader.u32()) for _ in range(reader.u32())]
        self.boxes[number] = box
        self.places.add(box.spill)
        try:
            box.start(argv, files, reader.rest())
        except OSError as error:
            os.close(box.errors)
            box.errors, said_end = os.pipe()
            os.write(said_end, str(error).encode())
            os.close(said_end)
            box.hang_up()

    def run(self, box, reader):
        run, kind, stdin, given = reader.u32(), reader.u8(), reader.text(), reader.texts()
        fds = []
        try:
            fds.append(self.stdin_of(box, kind, stdin))
            for path in given:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                fds.append(sealed_copy(fd, b''))
                os.close(fd)
            message = struct.pack('<BII', OP_RUN, box.number, run) + reader.rest()
            if len(message) > PACKET_MAX:
                raise OSError(errno.E2BIG, 'too long')
            send(box.channel, message, fds)
        except (BrokenPipeError, ConnectionError):
            pass
        except OSError as error:
            self.not_started(box.number, run, errno.E2BIG if error.errno == errno.EMSGSIZE else error.errno)
        for fd in fds:
            os.close(fd)

    @staticmethod
    def stdin_of(box, kind, data):
        if kind == 0:
            return os.open('/dev/null', os.O_RDONLY | os.O_CLOEXEC)
        if kind == 3:
            # Only the C helper can connect programs of two boxes.
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if kind == 2:
            return sealed_copy(None, data)
        fd = os.open(data, os.O_RDONLY | os.O_CLOEXEC)
        # Many programs open their input again, as /dev/stdin; then the mode of the file itself decides.
        if not box.guard and (not box.uid or os.fstat(fd).st_mode & stat.S_IROTH):
            return fd
        copy = sealed_copy(fd, b'')
        os.close(fd)
        return copy

    def collect(self, box, reader):
        number, target = reader.u32(), reader.text()
        try:
            fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.reply(box.number, struct.pack('<BIB', COLLECTED, number, 0) + text(str(error).encode()))
            return
        send(box.channel, struct.pack('<BII', OP_COLLECT, box.number, number) + reader.rest(), [fd])
        os.close(fd)

    def read_node(self):
        data = os.read(0, 1 << 20)
        if not data:
            self.node_open = False
            return
        self.pending += data
        while len(self.pending) >= 4:
            size = struct.unpack_from('<I', self.pending)[0]
            if len(self.pending) < size + 4:
                return
            frame, self.pending = self.pending[4 : size + 4], self.pending[size + 4 :]
            self.handle(frame)

    def read_box(self, box):
        data, _ = receive(box.channel)
        if data:
            self.reply(box.number, data)
        else:
            box.hang_up()

    def settle(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for box in self.boxes.values():
                if box.pid == pid:
                    box.pid, box.status = 0, status
        for box in list(self.boxes.values()):
            if box.pid and box.kill_at and time.monotonic() >= box.kill_at:
                send_signal(box.pid, signal.SIGKILL)
            if box.pid == 0 and box.channel is None:
                self.forget(box)

    def forget(self, box):
        # A box that was killed could not kill its programs; they are orphans now, and may fork for ever.
        if box.uid and os.WIFSIGNALED(box.status):
            kill_uid(box.uid)
        box.remove_traces()
        if box.asked_to_close:
            self.reply(box.number, struct.pack('<B', GONE) + text(b''))
        else:
            self.reply(box.number, struct.pack('<B', DIED) + text(box.last_words()))
        os.close(box.errors)
        del self.boxes[box.number]

    def loop(self):
        while self.node_open or self.boxes:
            if not self.node_open:
                for box in self.boxes.values():
                    box.hang_up()
            channels = {box.channel.fileno(): box for box in self.boxes.values() if box.channel is not None}
            closing = len(channels) < len(self.boxes)
            poll = select.poll()
            for fd in list(channels) + ([0] if self.node_open else []):
                poll.register(fd, select.POLLIN)
            ready = [fd for fd, _ in poll.poll(20 if closing else None)]
            for fd in ready:
                if fd:
                    self.read_box(channels[fd])
            if 0 in ready:
                self.read_node()
                if not self.node_open:
                    null = os.open('/dev/null', os.O_WRONLY)
                    os.dup2(null, 1)
            self.settle()
        for place in self.places:
            for slot in range(SPILL_FILES):
                try:
                    os.unlink(place + b'.%d' % slot)
                except OSError:
                    pass


def serve_main():
    try:
        os.setsid()
    except OSError:
        pass
    # Boxes use descriptors 3 and 4, so none of ours may have these numbers.
    while True:
        fd = os.open('/dev/null', os.O_RDONLY)
        if fd > 4:
            os.close(fd)
            break
    os.umask(0o077)
    Serve().loop()


if __name__ == '__main__':
    if sys.argv[1:] == ['serve']:
        serve_main()
    elif sys.argv[1:] == ['box']:
        box_main(socket.socket(fileno=3))
    else:
        sys.exit('usage: helper.py serve|box (started by resume-run)')
