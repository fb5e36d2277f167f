import { printableText } from './printable.js';

/** The one writer of GitHub's workflow commands: `::warning title=...::message`, an annotation of a run. */
export function workflowCommand(
    command: 'error' | 'warning' | 'notice',
    title: string,
    message: string,
): string {
    return `::${command} title=${property(title)}::${data(message)}\n`;
}

const data = (text: string): string =>
    printableText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
