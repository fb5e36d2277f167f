import { afterAll, describe, expect, it } from 'vitest';
import { findLanguages } from '../../../src/executor/judge/available.js';
import { findNewestFeature } from '../../../src/executor/judge/missing-feature.js';
import { findMissingImport } from '../../../src/executor/judge/missing-import.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { isRetryable } from '../../../src/model/failure.js';
import { inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');
const { available } = await findLanguages({ overrides: {}, python2As3: false }, kind);
const rig = new JudgeRig(kind);
afterAll(() => rig.close());

const NO_SUCH = "ModuleNotFoundError: No module named 'no_such_module'";

describe('a module or header that is not here', () => {
    it.each([
        ['PYTHON3', 'import sys, no_such_module as n\n', 'the Python 3 module no_such_module'],
        [
            'PYTHON3',
            'try:\n    from no_such_module.sub import x\nfinally:\n    pass\n',
            'the Python 3 module',
        ],
        ['CPP', '#include <no/such_header.h>\nint main() {}\n', 'the C++ header no/such_header.h'],
        ['C', '#include "no_such.h"\nint main(void) { return 0; }\n', 'the C header no_such.h'],
        ['JAVASCRIPT', 'const x = require("no-such-module");\n', 'the JavaScript module no-such-module'],
        [
            'JAVA',
            'import static org.nowhere.Things.of;\npublic class Main { public static void main(String[] a) {} }\n',
            'the Java package org.nowhere',
        ],
    ])('is a failure, in %s: %j', async (language, source, message) => {
        expect(available.has(language)).toBe(true);
        const words = inWords(await rig.run({ language, source, limits: { time: 10 } }));
        expect(words).toContain(`failure environment: ${message}`);
        expect(words).toContain('is not on this machine');
    });

    it.skipIf(!available.has('CSHARP')).each([
        ['CSHARP', 'using System;\nvar a = Console.ReadLine();\n', 'statements outside of classes (C# 9)'],
        ['CSHARP', 'class P { static void Main() { P p = new(); } }', 'types left out after new (C# 9)'],
    ])(
        'is a failure where it came with a later version, in %s (skipped without mcs): %j',
        async (language, source, feature) => {
            expect(inWords(await rig.run({ language, source, limits: { time: 10 } }))).toContain(
                `failure environment: the C# compiler on this machine does not know ${feature}`,
            );
        },
    );

    it('is looked for in what a program says to its compiler alone', () => {
        expect(findNewestFeature('KOTLIN', ['fun main() { val n = readln() }'])?.name).toBe(
            'readln (Kotlin 1.6)',
        );
        expect(findNewestFeature('KOTLIN', ['// readln()\nfun main() { print("readln()") }'])).toBeNull();
        expect(
            findNewestFeature('CSHARP', [
                'using System; class P { static T F<T>() where T : new() { switch (1) { } var a = new int[] { 1 }; a[0] = a[a[0]]; Console.Write(a != null); return new T(); } static void Main() { } }',
            ]),
        ).toBeNull();
    });

    it.each([
        ['whose name is only printed', `import sys\nsys.stderr.write("""${NO_SUCH}""")\nsys.exit(1)\n`],
        [
            'that is here all the same',
            'import json, sys\nsys.stderr.write("ModuleNotFoundError: No module named \'json\'")\nsys.exit(1)\n',
        ],
        ['of Python 2', 'import Queue\n'],
        ['that is a part of one that is here', 'import json.no_such_part\n'],
    ])('stays a RuntimeError for a module %s', async (_, source) => {
        expect(inWords(await rig.run({ language: 'PYTHON3', source, limits: { time: 10 } }))).toBe(
            'RuntimeError',
        );
    });

    it.each([
        ['PYTHON3', `import sys; sys.stderr.write("${NO_SUCH}")`],
        ['PYTHON3', `# import no_such_module\n'''\nimport no_such_module\n'''\n`],
        ['JAVASCRIPT', "require('fs'); // 'no_such_module'\n// require('no_such_module')\n"],
        ['CPP', '/*\n#include <no_such_module>\n*/\nint main() {}\n'],
    ])('is not believed where the %s source only mentions it: %j', (language, source) => {
        const said = `${NO_SUCH}\nCannot find module 'no_such_module'\na.cpp:1:1: fatal error: no_such_module: No such file or directory`;
        expect(findMissingImport(language, said, [source])).toBe(null);
    });

    it.each([
        ['PYTHON3', 'try: import no_such_module\nfinally: pass\n'],
        ['PYTHON3', 'print("#"); import math as m, no_such_module\n'],
        ['PYTHON3', 'from importlib import import_module\nimport_module("no_such_module")\n'],
        ['JAVASCRIPT', "import x from 'no_such_module/part';\n"],
    ])('is believed where the %s source asks for it: %j', (language, source) => {
        const said = `${NO_SUCH}\nCannot find module 'no_such_module/part'`;
        expect(findMissingImport(language, said, [source])?.name).toMatch(/^no_such_module/);
    });

    it('is not what an #error says', () => {
        const said = 'main.cpp:2:2: error: #error x: fatal error: no_such.h: No such file or directory';
        const source =
            '#if 0\n#include "no_such.h"\n#endif\n#error x: fatal error: no_such.h: No such file or directory\n';
        expect(findMissingImport('CPP', said, [source])).toBe(null);
    });

    it.each([
        [
            'of the standard library',
            '#include <no_such>\n#include <iostream.h>\nint main() {}\n',
            'iostream.h',
        ],
        ['that the source does not include', 'int main() {}\n', 'no_such.h'],
        ['named by its place', '#include "/home/someone/secret.h"\n', '/home/someone/secret.h'],
        ['outside of its folder', '#include "../secret.h"\n', '../secret.h'],
    ])("is the program's own fault for a header %s", (_, source, name) => {
        const said = `main.cpp:1:10: fatal error: ${name}: No such file or directory`;
        expect(findMissingImport('CPP', said, [source])).toBe(null);
    });

    it.each([
        [
            'GO',
            'main.go:2:16: no required module provides package example.org/gods/maps: go.mod file not found in current directory',
            'import ("fmt"; "example.org/gods/maps")\n',
            'example.org/gods/maps',
        ],
        [
            'GO',
            'main.go:4:2: cannot find package "example.org/x" in any of:',
            'import x `example.org/x`\n',
            'example.org/x',
        ],
        [
            'JAVA',
            'Main.java:1: error: package javafx.util does not exist',
            'import javafx.util.Pair;\n',
            'javafx.util',
        ],
        ['RUST', "error[E0463]: can't find crate for `num`", 'extern crate num;\n', 'num'],
        ['RUST', 'use of undeclared crate or module `rand`', 'pub use rand::Rng;\n', 'rand'],
    ])('is found in what compilers of %s say: %s', (language, said, source, name) => {
        expect(findMissingImport(language, said, [source])?.name).toBe(name);
    });

    it.each([
        [
            'GO',
            'main.go:2:8: package nowhere/at/all is not in std (/usr/lib/go/src/nowhere)',
            'import "nowhere/at/all"\n',
        ],
        ['GO', 'no required module provides package example.org/x: go.mod', 'import "fmt"\n'],
        ['JAVA', 'Main.java:1: error: package javax.xml.bind does not exist', 'import javax.xml.bind.*;\n'],
        ['JAVA', 'Main.java:1: error: package java.utils does not exist', 'import java.utils.List;\n'],
        ['JAVA', 'Main.java:3: error: package system does not exist', 'class A { int x = system.out.y; }\n'],
        ['RUST', 'use of unresolved module or unlinked crate `mem`', 'use mem::swap;\n'],
        ['RUST', 'use of unresolved module or unlinked crate `solver`', 'fn main() { solver::run(); }\n'],
    ])("is the program's own fault in %s: %s", (language, said, source) => {
        expect(findMissingImport(language, said, [source])).toBe(null);
    });

    it('is not tried again within a start', () => {
        expect(isRetryable({ reason: 'environment', message: '' })).toBe(false);
    });
});
