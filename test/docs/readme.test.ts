import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, '../..', name), 'utf8');
const english = read('README.md');
const chinese = read('README.zh-CN.md');

/** The page without its fences and its table of figures, which only the English page has. */
const prose = (page: string): string =>
    page.replace(/^```[\s\S]*?^```$/gm, '').replace(/<!-- bench:start -->[\s\S]*<!-- bench:end -->/, '');

const headingLevels = (page: string): readonly string[] =>
    Array.from(prose(page).matchAll(/^(#+) /gm), ([, level = '']) => level);
/** Fences without the comments of shell commands, as those are translated. */
const fences = (page: string): readonly string[] =>
    Array.from(page.matchAll(/^```[\s\S]*?^```$/gm), ([fence]) => fence.replace(/ +# .*$/gm, ''));
const inlineCode = (page: string): readonly string[] =>
    [...new Set(Array.from(prose(page).matchAll(/`([^`\n]+)`/g), ([, code = '']) => code))].sort();
const links = (page: string): readonly string[] =>
    [...new Set(Array.from(prose(page).matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => link))]
        .filter((link) => !link.startsWith('README'))
        .sort();

describe('README', () => {
    it('stays short enough to be read', () => {
        expect(english.split(/\s+/).filter((word) => word !== '').length).toBeLessThan(1300);
    });

    it('has a Chinese twin with the same headings, commands, options and links', () => {
        expect(headingLevels(chinese)).toEqual(headingLevels(english));
        expect(fences(chinese)).toEqual(fences(english));
        expect(inlineCode(chinese)).toEqual(inlineCode(english));
        // The English page links to the figures inside its generated table.
        expect(links(chinese)).toEqual([...links(english), 'docs/benchmarks.md'].sort());
    });
});
