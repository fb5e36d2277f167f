import { expect, test } from 'vitest';
import { findLiteralSecret, maskLiteralSecrets, maskSecrets, readReference } from '../../src/util/secrets.js';

test.each([
    [['curl', '-H', 'Authorization: Bearer abcdefgh12345678'], 'a bearer token', 'Bearer ***'],
    [['call', '--token', 'hunter22'], 'a value after --token', '--token ***'],
    [['call', '--api-key=abcdef123'], 'a secret', '--api-key=***'],
    [['call', 'sk-proj-abcdefghijklmnop1234'], 'an API key', 'call ***'],
    [['call', 'https://me:secret12@host/x'], 'a password in an address', 'https://me:***@host/x'],
])('%j holds %s', (words, name, masked) => {
    expect(findLiteralSecret(words)).toBe(name);
    expect(maskLiteralSecrets(words).join(' ')).toContain(masked);
});

test.each([
    [['curl', '-H', 'Authorization: Bearer {env:TOKEN}']],
    [['call', '--token', '{env:TOKEN}', '--password', '$X']],
    [['call', '--token', '--verbose']],
    [['http://host:8080/a@b', './task', '{input}', '--max-tokens=4096']],
    [['https://me:{env:PASS}@host/x']],
])('%j holds no secret', (words) => {
    expect(findLiteralSecret(words)).toBeNull();
    expect(maskLiteralSecrets(words)).toEqual(words);
});

test('what a reference stood for is masked from then on; one that is not set is named', () => {
    expect(maskSecrets('x s3cret-value y')).toBe('x s3cret-value y');
    expect(readReference('A_TOKEN', '--endpoint', { A_TOKEN: 's3cret-value' })).toBe('s3cret-value');
    expect(maskSecrets('x s3cret-value y')).toBe('x {env:A_TOKEN} y');
    expect(() => readReference('NOPE', '--endpoint', {})).toThrow(
        '--endpoint: {env:NOPE} needs the environment variable NOPE, which is not set',
    );
});
