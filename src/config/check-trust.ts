import { maskLiteralSecrets } from '../util/secrets.js';
import { UserError } from '../util/user-error.js';
import type { Source } from './layers.js';
import type { RunOptionName, RunOptionValues } from './run-options.js';

/**
 * Checks what run.json would start: a results directory from elsewhere can name programs in it.
 * @param distrust why others may have written run.json; null: only this user or root can have
 * @returns lines that show what will run; empty if nothing of it comes from run.json
 * @throws UserError without `--trust`, if a program would run that others may have named
 */
export function checkTrust(
    values: RunOptionValues,
    sources: Readonly<Record<RunOptionName, Source>>,
    { runFile, distrust }: { readonly runFile: string; readonly distrust: string | null },
): string[] {
    requireTrustedServers(values, sources, runFile, distrust);
    const programs = listPrograms(values).filter(([option]) => sources[option] === 'run.json');
    // A dry run starts no programs.
    if (programs.length === 0 || values['dry-run']) return [];
    const named = programs.map(([, program]) => program).join(', ');
    if (distrust !== null && !values.trust) {
        throw new UserError(
            `${runFile} ${distrust}, and this start would run programs from it: ${named}. Pass --trust to allow that, or name the programs on the command line`,
            2,
            { code: 'RESUME_RUN_UNTRUSTED' },
        );
    }
    return [`runs programs named in ${runFile}: ${named}`];
}

/**
 * Refuses servers that others may have named: they would receive programs and this user's keys, and an address may refer to any
 * environment variable.
 * @throws UserError
 */
function requireTrustedServers(
    values: RunOptionValues,
    sources: Readonly<Record<RunOptionName, Source>>,
    runFile: string,
    distrust: string | null,
): void {
    if (distrust === null || values.trust || values['dry-run'] || NO_SERVERS.includes(values.executor))
        return;
    const named = (['endpoint', 'retry-endpoint'] as const).flatMap((option) =>
        sources[option] === 'run.json' ? values[option].map(({ url }) => url) : [],
    );
    const key = sources['api-key-env'] === 'run.json' ? values['api-key-env'] : null;
    if (key !== null) named.push(`the key in ${key}`);
    if (named.length === 0) return;
    throw new UserError(
        `${runFile} ${distrust}, and this start would use the servers and keys that it names: ${named.join(', ')}. Give --trust if that is what you want, or name them yourself`,
        2,
        { code: 'RESUME_RUN_UNTRUSTED' },
    );
}

/** Executors that use no server. */
const NO_SERVERS: readonly (string | null)[] = ['exec', 'module', 'judge'];

/** Options that make a start run a program, each with the program. */
function listPrograms(values: RunOptionValues): (readonly [RunOptionName, string])[] {
    const { executor, command, module, checker, languages, scorer } = values;
    const programs: (readonly [RunOptionName, string])[] = [];
    if (executor === 'exec' && command !== null)
        programs.push(['command', `the command ${maskLiteralSecrets(command).join(' ')}`]);
    if (executor === 'module' && module !== null) programs.push(['module', `the module ${module.file}`]);
    const tools = values['tool-module'];
    if (executor === 'chat' && tools !== null) programs.push(['tool-module', `the module ${tools.file}`]);
    if (executor === 'chat' && scorer?.kind === 'module')
        programs.push(['scorer', `the module ${scorer.file}`]);
    const isJudged = executor !== 'exec' && executor !== 'module';
    if (isJudged && checker?.kind === 'program') programs.push(['checker', `the checker ${checker.path}`]);
    const tags = isJudged ? Object.keys(languages) : [];
    if (tags.length > 0) programs.push(['languages', `compilers and interpreters of ${tags.join(', ')}`]);
    return programs;
}
