import type { RunEvent } from '../../model/event.js';
import { escapeLine } from '../../util/printable.js';
import type { Style } from '../style.js';

/** Renders a notice as a line for people. */
export function renderNotice(notice: Extract<RunEvent, { type: 'notice' }>, style: Style): string {
    const text = escapeLine(notice.message);
    return notice.level === 'warning' ? `${style.yellow('warning:')} ${text}` : text;
}
