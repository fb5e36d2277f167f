import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    buildBasicAuthorization,
    displayAddress,
    MAX_ADDRESSES,
    parseEndpoints,
} from '../../src/endpoint/address.js';
import { UserError } from '../../src/util/user-error.js';

describe('parseEndpoints', () => {
    it('takes one address, comma lists and repeated options', () => {
        expect(parseEndpoints(['http://a:1, http://b:2/', 'https://c/base/'])).toEqual([
            'http://a:1',
            'http://b:2',
            'https://c/base',
        ]);
    });

    it('expands ranges and choices, the last brace fastest', () => {
        expect(parseEndpoints(['http://10.0.0.{1..2}:{8080..8082}/'])).toEqual([
            'http://10.0.0.1:8080',
            'http://10.0.0.1:8081',
            'http://10.0.0.1:8082',
            'http://10.0.0.2:8080',
            'http://10.0.0.2:8081',
            'http://10.0.0.2:8082',
        ]);
        expect(parseEndpoints(['http://{a,b}.example,http://c'])).toEqual([
            'http://a.example',
            'http://b.example',
            'http://c',
        ]);
        expect(parseEndpoints(['http://node{08..11}'])).toEqual([
            'http://node08',
            'http://node09',
            'http://node10',
            'http://node11',
        ]);
    });

    it('forgets the path of a call that was pasted with the address', () => {
        expect(
            parseEndpoints(['http://h:8080/submit', 'http://h:8081/x/run_code', 'http://h:5050/run']),
        ).toEqual(['http://h:8080', 'http://h:8081/x', 'http://h:5050']);
    });

    it('counts a repeated address once', () => {
        expect(parseEndpoints(['http://h:{1..3}', 'http://h:2/'])).toEqual([
            'http://h:1',
            'http://h:2',
            'http://h:3',
        ]);
    });

    it.each([
        ['', 'empty'],
        [' , ', 'empty'],
        ['10.0.0.1:8080', 'not an address'],
        ['ftp://host', 'expected http'],
        ['http://host/?x=1', 'query'],
        ['http://host:{5..1}', 'backwards'],
        ['http://host:{1..99999}', `more than ${MAX_ADDRESSES}`],
        ['http://h{1..100}:{1..100}', `more than ${MAX_ADDRESSES}`],
        ['http://host:{1..2', 'braces'],
        ['http://host}:1', 'braces'],
        ['http://host:{a..b}', 'cannot read'],
        ['http://host:{}', 'cannot read'],
        ['http://host:{99999..100000}', 'not an address'],
    ])('refuses %j in one clear line', (value, words) => {
        const call = () => parseEndpoints([value]);
        expect(call).toThrow(UserError);
        expect(call).toThrow(words);
        expect(call).toThrow(/^--endpoint: [^\n]+$/);
    });

    it('never shows a secret', () => {
        expect(() => parseEndpoints(['http://me:hunter2@host/?q'])).toThrow(/\*\*\*@host/);
        expect(() => parseEndpoints(['http://me:hunter2@host/{'])).toThrow(/^(?!.*hunter2)/);
        const [address = ''] = parseEndpoints(['http://me:hunter2@host:1/']);
        expect(displayAddress(address)).toBe('http://host:1');
        expect(buildBasicAuthorization(address)).toBe(
            `Basic ${Buffer.from('me:hunter2').toString('base64')}`,
        );
        expect(buildBasicAuthorization('http://host')).toBeNull();
    });

    it('takes credentials percent-encoded, and one with a bare % as it is', () => {
        const pairIn = (address: string) =>
            Buffer.from((buildBasicAuthorization(address) ?? '').slice('Basic '.length), 'base64').toString();
        expect(pairIn('http://me%40here:a%3Ab@host')).toBe('me@here:a:b');
        expect(pairIn('http://me:100%@host')).toBe('me:100%');
    });

    it('never does anything but parse or throw a UserError, and stays bounded', () => {
        const pieces = fc.constantFrom(
            'http://',
            'h',
            '{',
            '}',
            '1',
            '..',
            '9',
            ',',
            ':',
            '/',
            '@',
            '0',
            ' ',
        );
        fc.assert(
            fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
                try {
                    expect(parseEndpoints([parts.join('')]).length).toBeLessThanOrEqual(MAX_ADDRESSES);
                } catch (error) {
                    expect(error).toBeInstanceOf(UserError);
                }
            }),
        );
    });
});
