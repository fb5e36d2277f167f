import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import { type CheckOutput, compareWithAnswer } from '../check-output.js';
import type { Comparison } from '../checker/comparison.js';
import type { Output } from '../cut-text.js';
import type { LocalOptions } from '../descriptor.js';
import type { GradeByProgram } from '../judge-tests.js';
import { CheckerPrograms } from '../judge/checker-program.js';
import { Compiler } from '../judge/compile.js';
import { readHeaders } from '../judge/headers.js';
import { buildLanguageTable } from '../judge/languages.js';
import { Toolchains, findUsableLanguage } from '../judge/toolchains.js';
import { Sandbox } from '../sandbox/sandbox.js';

/**
 * Checks the outputs of servers on this machine: by comparison, or with the sample's own checker program in our sandbox. The
 * sandbox is prepared when the first such program is needed.
 */
export class LocalCheck {
    private programs: Promise<Programs> | null = null;

    constructor(private readonly options: LocalOptions) {}

    readonly check: CheckOutput = (checker, test, output) =>
        checker.kind === 'program'
            ? this.checkByProgram(checker, test, output)
            : compareWithAnswer(checker, test, output);

    readonly grade: GradeByProgram = async (...asked) => {
        this.programs ??= preparePrograms(this.options);
        const { checkers } = await this.programs;
        return checkers.grade(...asked);
    };

    async close(): Promise<void> {
        const ready = await this.programs?.catch(() => null);
        await ready?.checkers.close();
        await ready?.sandbox.close();
    }

    private async checkByProgram(
        checker: CheckerProgram,
        test: StagedTest,
        output: Output,
    ): Promise<Comparison> {
        this.programs ??= preparePrograms(this.options);
        const { checkers } = await this.programs;
        return checkers.check(checker, test, output);
    }
}

interface Programs {
    readonly checkers: CheckerPrograms;
    readonly sandbox: Sandbox;
}

async function preparePrograms(options: LocalOptions): Promise<Programs> {
    const { scratch, languages: overrides, python2As3, adaptWindows } = options;
    const sandbox = await Sandbox.create(options.sandbox, scratch);
    const headers = await readHeaders(options.includeDirs);
    const compiler = new Compiler(sandbox, scratch, options.compileCache, headers);
    const toolchains = new Toolchains(options.sandbox);
    const checkers = new CheckerPrograms({
        sandbox,
        compiler,
        scratch,
        adaptWindows,
        table: buildLanguageTable({ overrides, python2As3 }),
        usable: (language) => findUsableLanguage(language, toolchains),
    });
    return { checkers, sandbox };
}
