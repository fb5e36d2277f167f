import type { RunEvent } from '../../model/event.js';
import { printable } from '../../util/printable.js';
import type { Style } from '../style.js';

/** A notice as a line for people. */
export function noticeLine(notice: Extract<RunEvent, { type: 'notice' }>, style: Style): string {
    const text = printable(notice.message);
    return notice.level === 'warning' ? `${style.yellow('warning:')} ${text}` : text;
}
