import { BlockList, isIP, isIPv6 } from 'node:net';

/*
 * Chooses the proxy for a request according to the environment variables that curl and most other programs read. Names in lower
 * case take precedence.
 */

/** A proxy, no proxy, or a variable whose value is not a proxy's address. */
export type ProxyChoice = { readonly url: string | null } | { readonly problem: string };

/** @param origin such as `https://api.deepseek.com` */
export function chooseProxy(origin: string, env: NodeJS.ProcessEnv = process.env): ProxyChoice {
    const { protocol, hostname, port } = new URL(origin);
    const scheme = protocol === 'https:' ? 'https' : 'http';
    const name = [`${scheme}_proxy`, `${scheme}_proxy`.toUpperCase(), 'all_proxy', 'ALL_PROXY'].find(
        (one) => (env[one] ?? '').trim() !== '',
    );
    if (name === undefined) return DIRECT;
    const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const target = { host, port: port === '' ? DEFAULT_PORTS[scheme] : port };
    if (isOnThisMachine(host) || isExcepted(target, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return DIRECT;
    const value = (env[name] ?? '').trim();
    const url = value.includes('://') ? value : `http://${value}`;
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return { url };
    return { problem: `${name} is not the address of a proxy that starts with http:// or https://` };
}

const DIRECT = { url: null } as const;
const DEFAULT_PORTS = { http: '80', https: '443' } as const;

/** Services on this machine are contacted directly: a proxy on another machine would look for them there. */
function isOnThisMachine(host: string): boolean {
    if (host === 'localhost' || host.endsWith('.localhost')) return true;
    return isIP(host) !== 0 && LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

interface Target {
    readonly host: string;
    readonly port: string;
}

/** Matches a list such as `example.com,.internal,10.0.0.0/8,other.net:8080`. A domain name also covers its subdomains. */
function isExcepted({ host, port }: Target, list: string): boolean {
    return list
        .toLowerCase()
        .split(/[\s,]+/)
        .filter((entry) => entry !== '')
        .some((entry) => {
            if (entry === '*') return true;
            const [, subnet, prefix] = /^([\d.]+|[\da-f:]+)\/(\d{1,3})$/.exec(entry) ?? [];
            if (subnet !== undefined) return isInSubnet(host, subnet, Number(prefix));
            const [, named = entry, only = port] = /^([^:]+|\[.*\]):(\d+)$/.exec(entry) ?? [];
            const name = named.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
            return only === port && (host === name || host.endsWith(`.${name}`));
        });
}

function isInSubnet(host: string, subnet: string, prefix: number): boolean {
    const family = isIP(host);
    if (family === 0 || family !== isIP(subnet) || prefix > (family === 6 ? 128 : 32)) return false;
    const list = new BlockList();
    list.addSubnet(subnet, prefix, family === 6 ? 'ipv6' : 'ipv4');
    return list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
