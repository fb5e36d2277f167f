import { afterAll, describe, expect, it } from 'vitest';
import { findLanguages } from '../../../src/executor/judge/available.js';
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
    ])('is a failure, in %s: %j', async (language, source, message) => {
        expect(available.has(language)).toBe(true);
        const words = inWords(await rig.run({ language, source, limits: { time: 10 } }));
        expect(words).toContain(`failure environment: ${message}`);
        expect(words).toContain('is not on this machine');
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

    it('is not tried again within a start', () => {
        expect(isRetryable({ reason: 'environment', message: '' })).toBe(false);
    });
});
