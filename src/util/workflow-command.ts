import { escapeText } from './printable.js';

/** The one writer of GitHub's workflow commands: `::warning title=...::message`, an annotation of a run. */
export function formatWorkflowCommand(
    command: 'error' | 'warning' | 'notice',
    title: string,
    message: string,
): string {
    return `::${command} title=${property(title)}::${data(message)}\n`;
}

const data = (text: string): string =>
    escapeText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
