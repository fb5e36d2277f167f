import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/*
 * Which stage may import which: the table of docs/architecture.md. Type imports count too, because a stage that knows its
 * neighbour's types depends on that neighbour.
 */

const SRC = join(import.meta.dirname, '../src');

/** What every stage may import, whether or not it currently does. */
const GROUND = ['model', 'host', 'util'];
/**
 * Folder -> what it may import besides itself: folders or single files. `*` means everything except cli and commands. Lazy
 * imports count like any others. The test fails if an entry is no longer imported.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
    util: [],
    host: ['util', 'model/json.ts', 'model/file-stamp.ts'],
    model: ['util'],
    dataset: GROUND,
    plan: GROUND,
    // The parent knows only the messages exchanged with its child.
    backend: [...GROUND, 'backend/worker/messages.ts', 'backend/worker/gate.ts'],
    'backend/worker': [...GROUND, 'executor/kinds.ts', 'executor/executor.ts'],
    // The bundled chat server.
    demo: ['model/json.ts', 'util/user-error.ts'],
    // A row declares the executor's options, each with its value parser.
    executor: [...GROUND, 'demo', 'endpoint', 'config/option.ts', 'config/values'],
    endpoint: GROUND,
    trace: GROUND,
    checkpoint: GROUND,
    results: GROUND,
    report: GROUND,
    // Interfaces of the stages that a run connects.
    run: [...GROUND, 'plan', 'backend/backend.ts', 'checkpoint/store.ts', 'dataset/dataset.ts'],
    config: [...GROUND, 'config/values', 'executor/kinds.ts', 'executor/executor-kind.ts'],
    'config/values': [...GROUND, 'config/option.ts', 'config/value-error.ts', 'endpoint/address.ts'],
    // The library reads the options of every command from the command registry.
    compose: ['*', 'commands/registry.ts'],
    commands: [
        ...GROUND,
        // What a worker reports about itself.
        'backend/queue/messages.ts',
        'compose',
        'config',
        'results',
        'report',
        'checkpoint',
        'run/interrupt.ts',
        // A command declares its options, each with its value parser.
        'config/values',
        // What the commands doctor and endpoints call.
        'executor/chat/check-keys.ts',
        'executor/chat/check-services.ts',
        'executor/judge/doctor.ts',
        'demo/demo-endpoint.ts',
        'executor/kinds.ts',
        'executor/servers/probe.ts',
        'executor/servers/calibrate-servers.ts',
        'executor/servers/endpoint-options.ts',
    ],
    // The front end: built separately, imported by nothing.
    page: ['model', 'util', 'results/ask/statistics.ts'],
    cli: ['commands', 'config', 'model', 'util', 'host/package-version.ts', 'host/write-error.ts'],
    legacy: ['compose', 'results/result-store.ts'],
    index: [
        'compose',
        'config',
        'host/write-error.ts',
        'model',
        'util',
        'dataset/dataset.ts',
        'executor/executor.ts',
        'executor/function.ts',
        'executor/module.ts',
    ],
};

/** Files with a computed import. The linker cannot resolve it, so each one states its reason. */
const COMPUTED_IMPORTS: Readonly<Record<string, string>> = {
    'executor/chat/scoring/module-scorer.ts': "the user's module that scores answers",
    'executor/chat/tool-simulator.ts': "the user's module that answers tools",
    'executor/module.ts': "the user's module",
    'executor/module-preflight.ts': "the user's module, on trial in a thread of its own",
};

interface Import {
    readonly from: string;
    readonly to: string;
    readonly lazy: boolean;
}

const sources = (readdirSync(SRC, { recursive: true }) as string[]).filter((file) => /\.tsx?$/.test(file));

const STATIC = [/^(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'/gm, /^import\s+'([^']+)'/gm];
const LAZY = [
    /\bimport\(\s*['"`]([^'"`$]+)['"`]\s*\)/g,
    // Entry of a thread or child process, loaded by URL.
    /\bnew URL\(\s*'([^']+\.js)',\s*import\.meta\.url\s*\)/g,
];
const COMPUTED = /\bimport\(\s*(?!['"`]|\))/;

/** The code of a file without its comments. */
const codeOf = (file: string): string =>
    readFileSync(join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

const specifiersIn = (code: string, patterns: readonly RegExp[]): string[] =>
    patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));

/** The source of a module; the front end also has .tsx files. */
function sourceOf(module: string): string {
    const source = module.replace(/\.js$/, '.ts');
    return existsSync(join(SRC, source)) ? source : `${source}x`;
}

function importsOf(file: string): readonly Import[] {
    const code = codeOf(file);
    const found = [
        ...specifiersIn(code, STATIC).map((specifier) => ({ specifier, lazy: false })),
        ...specifiersIn(code, LAZY).map((specifier) => ({ specifier, lazy: true })),
    ];
    return found
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier, lazy }) => ({
            from: file,
            to: sourceOf(relative(SRC, join(SRC, dirname(file), specifier))),
            lazy,
        }));
}

/** `run/loop.ts` belongs to `run`, `backend/worker/serve.ts` to `backend/worker`, `compose.ts` to `compose`. */
const folderOf = (file: string): string => {
    const [first = '', second = ''] = file.split('/');
    const room = `${first}/${second}`;
    return Object.hasOwn(MAY_IMPORT, room) ? room : first.replace(/\.ts$/, '');
};

const allowed = ({ from, to }: Import): boolean => {
    const own = folderOf(from);
    const target = folderOf(to);
    if (own === target) return true;
    const list = MAY_IMPORT[own];
    if (list === undefined) return false;
    return (
        list.includes(to) ||
        list.includes(target) ||
        (list.includes('*') && target !== 'cli' && target !== 'commands')
    );
};

const imports = sources.flatMap(importsOf);

describe('architecture', () => {
    it('names files of the package only from two folders deep, where the bundle is too', () => {
        const naming = sources.filter((file) =>
            readFileSync(join(SRC, file), 'utf8').includes('import.meta'),
        );
        expect(naming.length).toBeGreaterThan(3);
        expect(naming.filter((file) => file.split('/').length !== 2)).toEqual([]);
    });

    it('reads the imports of every source file', () => {
        expect(sources.length).toBeGreaterThan(30);
        expect(imports.length).toBeGreaterThan(sources.length);
    });

    it('sees imports however they are written', () => {
        const ways = ["import('./a.js')", "import(\n    './a.js',\n)".replace(',', ''), 'import(`./a.js`)'];
        for (const way of ways) expect(specifiersIn(`const a = await ${way};`, LAZY)).toEqual(['./a.js']);
        expect(specifiersIn("type A = typeof import('./a.js');", LAZY)).toEqual(['./a.js']);
        expect(specifiersIn("import {\n    a,\n} from './a.js';\nimport './b.js';", STATIC)).toEqual([
            './a.js',
            './b.js',
        ]);
        const known = new Set(sources);
        expect(imports.filter(({ to }) => !known.has(to))).toEqual([]);
        const lazy = imports.filter((one) => one.lazy).map(({ to }) => to);
        expect(lazy).toContain('backend/worker/thread.ts');
        expect(lazy.length).toBeGreaterThan(30);
    });

    it('imports what a variable names only where that is not ours', () => {
        const computed = sources.filter((file) => COMPUTED.test(codeOf(file)));
        expect(computed.sort()).toEqual(Object.keys(COMPUTED_IMPORTS).sort());
    });

    it('loads packages that need not be installed only when they are used', () => {
        const { peerDependencies = {} } = JSON.parse(readFileSync(join(SRC, '../package.json'), 'utf8')) as {
            readonly peerDependencies?: Readonly<Record<string, string>>;
        };
        const optional = Object.keys(peerDependencies);
        expect(optional.length).toBeGreaterThan(0);
        const isOptional = (specifier: string): boolean =>
            optional.some((name) => specifier === name || specifier.startsWith(`${name}/`));
        const eager = sources.filter((file) => {
            const code = codeOf(file).replace(/^(?:import|export) type\b[^;]*;/gm, '');
            return specifiersIn(code, STATIC).some(isOptional);
        });
        expect(eager).toEqual([]);
        const lazily = sources.flatMap((file) => specifiersIn(codeOf(file), LAZY)).filter(isOptional);
        expect(lazily.length).toBeGreaterThan(0);
    });

    it('allows nothing that is not needed any more', () => {
        const uses = (folder: string, entry: string): boolean =>
            imports.some(
                ({ from, to }) => folderOf(from) === folder && (to === entry || folderOf(to) === entry),
            );
        const stale = Object.entries(MAY_IMPORT).flatMap(([folder, entries]) => {
            if (!sources.some((file) => folderOf(file) === folder)) return [folder];
            const rest = entries.filter((entry) => entry !== '*' && !GROUND.includes(entry));
            return rest.filter((entry) => !uses(folder, entry)).map((entry) => `${folder} -> ${entry}`);
        });
        expect(stale).toEqual([]);
        const twice = Object.entries(MAY_IMPORT).filter(
            ([, entries]) => new Set(entries).size < entries.length,
        );
        expect(twice.map(([folder]) => folder)).toEqual([]);
    });

    it('has a line for every folder in docs/architecture.md', () => {
        const page = readFileSync(join(SRC, '../docs/architecture.md'), 'utf8');
        const table = page.slice(page.indexOf('## The folders'), page.indexOf('## Where to add things'));
        const lines = table.split('\n').filter((line) => line.startsWith('| `'));
        const named = lines.flatMap((line) =>
            [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) =>
                (match[1] ?? '').replace('.ts', ''),
            ),
        );
        // A nested folder is described together with its parent unless it has a row of its own.
        const folders = Object.keys(MAY_IMPORT).filter((folder) => folder !== 'config/values');
        expect(named.sort()).toEqual(folders.sort());
    });

    it('imports only what the table allows', () => {
        const wrong = imports.filter((one) => !allowed(one)).map((one) => `${one.from} -> ${one.to}`);
        expect(wrong).toEqual([]);
    });

    it('has no import cycle, types included', () => {
        const next = new Map<string, Import[]>(sources.map((file) => [file, []]));
        for (const one of imports) if (!one.lazy) next.get(one.from)?.push(one);
        const done = new Set<string>();
        const cycles: string[] = [];
        const visit = (file: string, path: readonly string[]): void => {
            if (path.includes(file)) {
                cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
                return;
            }
            if (done.has(file)) return;
            for (const one of next.get(file) ?? []) visit(one.to, [...path, file]);
            done.add(file);
        };
        for (const file of sources) visit(file, []);
        expect(cycles).toEqual([]);
    });

    it('exports no name with two meanings', () => {
        const declared = new Map<string, string[]>();
        const declaration =
            /^export (?:async )?(?:abstract )?(?:const|function\*?|class|interface|type|enum) (\w+)/gm;
        for (const file of sources) {
            const names = [...readFileSync(join(SRC, file), 'utf8').matchAll(declaration)].map(
                ([, name = '']) => name,
            );
            for (const name of new Set(names)) declared.set(name, [...(declared.get(name) ?? []), file]);
        }
        // What each command's file exports, for the registry.
        expect(declared.get('command')?.every((file) => file.startsWith('commands/'))).toBe(true);
        declared.delete('command');
        expect(declared.size).toBeGreaterThan(500);
        expect([...declared].filter(([, files]) => files.length > 1)).toEqual([]);
    });

    it('exits the process in cli.ts and in worker entries only', () => {
        const mayExit = (file: string): boolean => file === 'cli.ts' || file.startsWith('backend/worker/');
        const exits = sources.filter((file) => /\bprocess\.exit\(/.test(codeOf(file)));
        expect(exits.filter((file) => !mayExit(file))).toEqual([]);
        expect(exits).toContain('cli.ts');
    });
});
