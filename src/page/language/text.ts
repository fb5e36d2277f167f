import { CHINESE } from './chinese.js';
import { ENGLISH, type TextKey } from './english.js';

export type PageLanguage = 'en' | 'zh';

let language: PageLanguage = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';

export function detectLanguage(): PageLanguage {
    return language;
}

export function setLanguage(next: PageLanguage): void {
    language = next;
    document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}

/** A text of the page in the reader's language, with `{name}` filled in. */
export function say(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
    const text: string = (language === 'zh' ? CHINESE : ENGLISH)[key];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
        Object.hasOwn(values, name) ? String(values[name]) : whole,
    );
}
