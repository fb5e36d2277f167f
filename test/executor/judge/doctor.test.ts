import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/executor/judge/doctor.js';

const byTagHas = ({ languages }: Awaited<ReturnType<typeof diagnose>>, wanted: string): boolean =>
    languages.some(({ tag, path }) => tag === wanted && path !== null);

describe('diagnose', () => {
    it('says what is here and what is not', async () => {
        const report = await diagnose({
            sandbox: 'auto',
            includeDirs: ['/no/such/folder'],
            python2As3: false,
            languages: {
                cobol: { compile: ['no-such-compiler', '{source}'], run: ['{out}'], extensions: ['.cob'] },
            },
        });
        expect(report.sandbox.kind).not.toBeNull();
        expect(report.helper.kind).not.toBe('none');
        const cpp = report.imports.find(({ language }) => language === 'C++');
        if (byTagHas(report, 'CPP')) expect(cpp?.found).toContain('bits/stdc++.h');
        expect(report.includeDirs).toEqual([{ path: '/no/such/folder', hasTestlib: false }]);
        const byTag = new Map(report.languages.map((language) => [language.tag, language]));
        expect(byTag.get('COBOL')).toMatchObject({ path: null, missing: 'no-such-compiler not found' });
        for (const language of report.languages) {
            expect(language.path === null).toBe(language.missing !== null);
        }
    });
});
