import { escapeText } from './printable.js';

/** The only writer of GitHub's workflow commands: `::warning title=...::message`, an annotation of a run. */
export function formatWorkflowCommand(
    command: 'error' | 'warning' | 'notice',
    title: string,
    message: string,
): string {
    return `::${command} title=${escapeProperty(title)}::${escapeData(message)}\n`;
}

const escapeData = (text: string): string =>
    escapeText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const escapeProperty = (text: string): string =>
    escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
