import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/*
 * Who may import whom: the table of docs/architecture.md. Types count too: a stage that knows its neighbour's types
 * knows its neighbour.
 */

const SRC = join(import.meta.dirname, '../src');

const STAGES = ['model', 'host', 'util'];
const INTERFACES_FOR_RUN = [
    'backend/backend.ts',
    'checkpoint/store.ts',
    'host/write-error.ts',
    'dataset/dataset.ts',
    'executor/descriptor.ts',
];

/** Folder -> what it may import besides itself: folders, or single files. `*` is everything but cli and commands. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
    util: [],
    host: ['util', 'model/json.ts', 'model/file-stamp.ts'],
    model: ['util'],
    dataset: STAGES,
    plan: STAGES,
    // The parent knows of its child only what passes between the two.
    backend: [...STAGES, 'backend/worker/messages.ts'],
    'backend/worker': [...STAGES, 'executor/kinds.ts', 'executor/executor.ts', 'dataset/registry.ts'],
    // A row declares the executor's options, each with the parser of its value.
    executor: [...STAGES, 'endpoint', 'config/option.ts', 'config/values'],
    endpoint: STAGES,
    checkpoint: STAGES,
    results: STAGES,
    report: STAGES,
    run: [...STAGES, 'plan', ...INTERFACES_FOR_RUN],
    config: [...STAGES, 'config/values', 'executor/kinds.ts', 'executor/executor-kind.ts'],
    'config/values': [...STAGES, 'config/option.ts', 'config/value-error.ts'],
    // The library reads the options of every command from their registry.
    compose: ['*', 'commands/registry.ts'],
    commands: [
        ...STAGES,
        'compose',
        'config',
        'config/values',
        'results',
        'report',
        'checkpoint',
        'host',
        'run/interrupt.ts',
        // What doctor and endpoints ask.
        'executor/judge/doctor.ts',
        'executor/kinds.ts',
        'executor/servers/probe.ts',
        'executor/servers/endpoint-options.ts',
    ],
    cli: ['commands', 'compose', 'config', 'model', 'report', 'util', 'host/write-error.ts'],
    index: [
        'compose',
        'config',
        'run',
        'model',
        'report',
        'util',
        ...INTERFACES_FOR_RUN,
        'executor/executor.ts',
        'executor/module.ts',
    ],
};

interface Import {
    readonly from: string;
    readonly to: string;
    readonly lazy: boolean;
}

const sources = (readdirSync(SRC, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'));

function importsOf(file: string): readonly Import[] {
    const text = readFileSync(join(SRC, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    const found = [
        ...text.matchAll(/^(?:import|export)\b[^'"`;]*?\bfrom\s+'(\.[^']+)'/gm),
        ...text.matchAll(/^import\s+'(\.[^']+)'/gm),
    ].map((match) => ({ specifier: match[1] ?? '', lazy: false }));
    const lazy = [...text.matchAll(/\bimport\(\s*'(\.[^']+)'\s*\)/g)].map((match) => ({
        specifier: match[1] ?? '',
        lazy: true,
    }));
    return [...found, ...lazy].map(({ specifier, lazy }) => ({
        from: file,
        to: relative(SRC, join(SRC, dirname(file), specifier.replace(/\.js$/, '.ts'))),
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

    it('exits the process in cli.ts and in worker entries only', () => {
        const exits = sources.filter((file) =>
            /\bprocess\.exit\(/.test(readFileSync(join(SRC, file), 'utf8')),
        );
        expect(exits.filter((file) => file !== 'cli.ts' && !file.startsWith('backend/worker/'))).toEqual([]);
    });
});
