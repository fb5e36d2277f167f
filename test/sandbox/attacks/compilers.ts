import { type Attack, ends } from '../attack.js';

/** A compiler stopped at its wall limit proves nothing about the program; at any other limit it is run once more. */
const STOPPED = ['failure compiler', 'CompileError (compile-limit)'];
const COMPLAINS = ['CompileError'];

const cpp = (name: string, verdicts: readonly string[], source: string): Attack =>
    ends(name, 'CPP', verdicts, `${source}\n`);

const doubling = (n: number): string =>
    Array.from({ length: n }, (_, i) => `#define M${i + 1} M${i} M${i} M${i} M${i}`).join('\n');

/** Sources that attack through the compiler. */
export const COMPILERS: readonly Attack[] = [
    cpp(
        'templates without end',
        [...STOPPED, ...COMPLAINS],
        'template <int N> struct A { typedef typename A<N + 1>::type type; };\nint main() { A<0>::type x; }',
    ),
    cpp(
        'templates that double',
        STOPPED,
        'template <int N, int K> struct A { static const int v = A<N - 1, 2 * K>::v + A<N - 1, 2 * K + 1>::v; };\ntemplate <int K> struct A<0, K> { static const int v = K; };\nint main() { return A<26, 0>::v; }',
    ),
    cpp('including /dev/random', [...STOPPED, ...COMPLAINS], '#include "/dev/random"\nint main() { }'),
    cpp('including /dev/zero', [...STOPPED, ...COMPLAINS], '#include "/dev/zero"\nint main() { }'),
    cpp('including /dev/stdin', COMPLAINS, '#include "/dev/stdin"\nint main() { x; }'),
    cpp('including itself', COMPLAINS, '#include __FILE__\nint main() { }'),
    cpp(
        'an array of gigabytes',
        [...STOPPED, ...COMPLAINS],
        'char x[3000000000u] = {1};\nint main() { return x[5]; }',
    ),
    cpp(
        'a macro that explodes',
        STOPPED,
        `#define M0 x +\n${doubling(20)}\nint x; int main() { return M20 0; }`,
    ),
    cpp(
        'a constant that takes for ever',
        [...STOPPED, ...COMPLAINS],
        'constexpr int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\nint main() { constexpr int x = f(60); return x; }',
    ),
    cpp(
        'errors without number',
        [...STOPPED, ...COMPLAINS],
        `${'}'.repeat(20_000)}\n${Array.from({ length: 3000 }, (_, i) => `x${i} y${i} = z${i};`).join('\n')}`,
    ),
    cpp('a secret in the compiler’s words', COMPLAINS, '#include "@folder@/home/@secret@"\nint main() { }'),
    cpp(
        'a secret in the program',
        COMPLAINS,
        'asm(".globl it\\nit: .incbin \\"@folder@/home/@secret@\\"\\n.byte 0");\nextern char it[];\n#include <cstdio>\nint main() { puts(it); }',
    ),
    cpp(
        'writing by the assembler',
        [...COMPLAINS, 'Accepted'],
        'asm(".file 1 \\"@folder@/results/sample.json\\"");\nint main() { }',
    ),
];
