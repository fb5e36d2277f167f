import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { adaptText } from '../../../src/executor/judge/windows-programs.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { JudgeRig } from './judging.js';
import { patience } from '../../rig/slowness.js';

const { kind } = await probeSandbox('auto');
const rig = new JudgeRig(kind);
afterAll(() => rig.close());

const MANY = `#include <Stdio.h>
#include <string.h>
#include <windows.h>
#include <conio.h>
typedef unsigned __int64 big;
void main(int argc, char *argv[])
{
    big a; DWORD start = GetTickCount(); LARGE_INTEGER now; char text[70];
    scanf("%I64u", &a);
    a += 10ui64;
    QueryPerformanceCounter(&now);
    printf("%05I64d|%I64u %s ", (__int64)-1, a, strrev(itoa(-120, text, 10)));
    printf("%d %d %s\\n", stricmp("Ab", "aB"), argc, now.QuadPart > 0 && start + 1 > 0 ? "here" : "");
    if (a > 0) { getch(); return; }
    printf("never");
}
`;

describe('a program written for Windows judges', () => {
    it.each(['CPP', 'C'])('compiles and runs in %s, and its entry says what was done', async (language) => {
        const result = await rig.result({
            language,
            source: MANY,
            tests: [['18446744073709551600', '-0001|18446744073709551610 021- 0 1 here']],
            limits: { time: 10 },
        });
        expect(result).toMatchObject({
            verdict: 'Accepted',
            adapted: [
                'i64-format',
                'i64-literal',
                'include-names',
                'void-main',
                'windows-functions',
                'windows-headers',
                'windows-words',
            ],
        });
    });

    it('gets the lines of its errors right, and is compiled as it is where that is asked for', async () => {
        const source = '#include <conio.h>\n__int64 x;\nint main() { return nothing; }\n';
        const adapted = await rig.result({ language: 'CPP', source });
        expect(adapted.tests[0]?.exec_info.compile_result?.stderr).toMatch(/main\.cpp:3:\d+: error/);
        expect(adapted.adapted).toEqual(['windows-headers', 'windows-words']);
        const plain = new JudgeRig(kind, { adaptWindows: false });
        const refused = await plain.run({ language: 'CPP', source: '__int64 x;\nint main() {}\n' });
        expect(refused).toMatchObject({ verdict: 'CompileError' });
        expect(refused).not.toHaveProperty('result.adapted');
        await plain.close();
    });

    it.each([
        ['nothing of Windows', '#include <cstdio>\nint main() { printf("%lld", 1LL); }\n'],
        [
            'it only in comments and as text',
            '// __int64 void main() {\nchar a[] = "%%I64d __int64"; /* itoa */\n',
        ],
        ['its own __int64', '#define __int64 long long\n__int64 x;\nint main() {}\n'],
        ['a type of that name', 'typedef long long __int64;\n__int64 x;\nint main() {}\n'],
        ['its own itoa', 'string itoa(int x) { return ""; }\nint main() { return itoa(1).size(); }\n'],
        ['its own strrev', 'char *strrev(char *a) { return a; }\nint main() { strrev(0); }\n'],
        ['another function that returns nothing', 'void domain() {}\nvoid main_loop() {}\nint main() {}\n'],
    ])('is left alone if it has %s', (_, source) => {
        expect(adaptText(source)).toEqual({ text: source, adapted: [] });
    });

    it.each([
        ['"%I64d"', '"%lld"'],
        ['"%-20I64d%%I64%I64x"', '"%-20lld%%I64%llx"'],
        ['"%*I64d %.5I64u"', '"%*lld %.5llu"'],
        ['"I64d"', '"lld"'],
        ['R"(%I64d)"', 'R"(%I64d)"'],
        ['1\'000 + \'"\' + "%I64d"', '1\'000 + \'"\' + "%lld"'],
    ])('has its formats written as they are here: %s', (source, expected) => {
        expect(adaptText(source).text).toBe(expected);
    });

    it('keeps its own header of a name that Windows has too', () => {
        const source = '#include "stdafx.h"\n';
        expect(adaptText(source, new Set(['stdafx.h'])).text).toBe(source);
        expect(adaptText('#include <bits\\stdc++.h>\n').text).toBe('#include <bits/stdc++.h>\n');
    });

    it('can be any text, however long', () => {
        const piece = fc.constantFrom(
            '"%I64d"',
            '__int64 ',
            'void main(',
            ') {',
            '"',
            "'",
            '/*',
            '*/',
            '//',
            '\n',
            'R"x(',
            ')x"',
            '\\',
            '#include <conio.h>\n',
            '10i64 ',
            'itoa(',
            '*',
            'return ',
            '#define ',
        );
        fc.assert(
            fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
                const once = adaptText(pieces.join(''));
                expect(once.adapted).toEqual([...once.adapted].sort());
                if (once.adapted.length === 0) expect(once.text).toBe(pieces.join(''));
            }),
        );
        const started = performance.now();
        for (const hostile of [
            'R"(',
            '/*',
            '"\\',
            "'",
            '__int64 typedef ',
            'void main(',
            'itoa * ',
            'typedef a ',
            'void  main ',
            '#include <',
            '> itoa',
        ]) {
            adaptText(`__int64 ${hostile.repeat(20_000)}`);
        }
        expect(performance.now() - started).toBeLessThan(patience(5000));
    });
});
