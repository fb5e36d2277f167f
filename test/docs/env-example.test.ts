import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** How the source refers to a variable that it reads. */
const READS = [
    /\benv\['([A-Z][A-Z0-9_]*)'\]/g,
    /\b(?:variable|defaultVariable|keyVariable|urlVariable): '([A-Z][A-Z0-9_]*)'/g,
    /\binHome\('([A-Z][A-Z0-9_]*)'/g,
];

/** Set by the system or for Node itself, not for us. */
const SYSTEM = new Set(['HOME', 'NODE_OPTIONS', 'NO_PROXY', 'PATH', 'TERM']);

it('.env.example names every variable that the source reads', () => {
    const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]).filter((file) =>
        file.endsWith('.ts'),
    );
    const read = new Set<string>();
    for (const file of files) {
        const text = readFileSync(join(ROOT, 'src', file), 'utf8');
        for (const pattern of READS) for (const match of text.matchAll(pattern)) read.add(match[1] ?? '');
    }
    for (const name of SYSTEM) read.delete(name);
    expect(read.size).toBeGreaterThan(15);
    const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
    expect([...read].filter((name) => !new RegExp(`^# ${name}=`, 'm').test(example))).toEqual([]);
});
