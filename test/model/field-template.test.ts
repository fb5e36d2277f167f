import { describe, expect, it } from 'vitest';
import { fillFields, fillPlaceholders, findUnknownFields } from '../../src/model/field-template.js';
import { parseExactJson } from '../../src/model/exact-json.js';

const values = { id: 'list-1of1', group: 'main', index: '4', input: '/tmp/in.json' };
const row = parseExactJson(
    '{"url": "http://x", "id": 7, "n": 1.0, "big": 9007199254740993, "deep": {"list": ["a", "b"]}, "a.b": true, "none": null}',
);
const fill = (argument: string): unknown => fillFields(argument, values, row);
const filled = (text: string): unknown => ({ kind: 'filled', text });

describe('a command for rows of a list', () => {
    it.each([
        ['{url}', 'http://x'],
        ['--u={url}/{n}', '--u=http://x/1.0'],
        ['{big}', '9007199254740993'],
        ['{deep.list.1}', 'b'],
        ['{deep}', '{"list":["a","b"]}'],
        ['{a.b}', 'true'],
        ['{none}', ''],
        ['{id} {row.id}', 'list-1of1 7'],
        ['{{url}}', '{url}'],
        ['${url}', '${url}'],
        ['{print $1}', '{print $1}'],
        ['{"a": 1}', '{"a": 1}'],
    ])('fills %s', (argument, text) => {
        expect(fill(argument)).toEqual(filled(text));
    });

    it('names the field that a row does not have', () => {
        expect(fill('{nope}')).toEqual({ kind: 'missing', field: 'nope' });
        expect(fill('{deep.list.9}')).toEqual({ kind: 'missing', field: 'deep.list.9' });
        expect(
            findUnknownFields(['{url}', '{nope}', '{row.gone}', '{id}', '{{x}}'], new Set(['url'])),
        ).toEqual(['{nope}', '{row.gone}']);
    });
});

describe('a command for other tasks', () => {
    it('replaces placeholders only', () => {
        expect(fillPlaceholders('{id}/{index} {url} {{id}}', values)).toBe('list-1of1/4 {url} {list-1of1}');
    });
});
