import { detectLanguage } from './text.js';

const LOCALES = { en: 'en', zh: 'zh-CN' } as const;
const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(digits: number): Intl.NumberFormat {
    const locale = LOCALES[detectLanguage()];
    const key = `${locale} ${digits}`;
    const known = formats.get(key);
    if (known !== undefined) return known;
    const made = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
    formats.set(key, made);
    return made;
}

/** `12,345` */
export function showCount(value: number): string {
    return numberFormat(0).format(value);
}

/** At most `digits` decimals. */
export function showNumber(value: number, digits = 2): string {
    return numberFormat(digits).format(value);
}

/** `97.6 %`; never rounded to 0 % or 100 %, which mean none and all. NaN: `–` */
export function showShare(share: number): string {
    if (Number.isNaN(share)) return '–';
    if (share === 0 || share === 1) return `${share * 100} %`;
    const tenths = Math.min(999, Math.max(1, Math.round(share * 1000)));
    return `${(tenths / 10).toFixed(1)} %`;
}

/** `21 ms`, `1.4 s`, `4 min 12 s`, `3 h 5 min`, `12 d 3 h`. 0 means unknown: empty. @param seconds from 0 */
export function showSeconds(seconds: number): string {
    if (!(seconds > 0)) return '';
    if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
    if (seconds < 9.95) return `${showNumber(seconds, 1)} s`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
    return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** `212 MB`: powers of 1000, as on the command line. 0 means unknown: empty. */
export function showBytes(value: number): string {
    if (!(value > 0)) return '';
    if (value < 1e6) return `${showNumber(value / 1e3, 0)} kB`;
    return value < 1e9 ? `${showNumber(value / 1e6, 0)} MB` : `${showNumber(value / 1e9, 1)} GB`;
}

/** US dollars; small prices keep two significant digits. */
export function showCost(value: number): string {
    if (!(value > 0)) return '';
    return `$${value < 1 ? Number(value.toPrecision(2)) : value.toFixed(2)}`;
}

/** A date and time in the reader's time zone. @param at ISO 8601, or milliseconds since the epoch */
export function showTime(at: string | number): string {
    const date = new Date(at);
    if (Number.isNaN(date.getTime())) return String(at).slice(0, 40);
    return date.toLocaleString(LOCALES[detectLanguage()], { dateStyle: 'medium', timeStyle: 'medium' });
}
