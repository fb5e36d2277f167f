import { render } from 'preact';
import { App } from './app.js';
import { FileSource } from './data/detail-source.js';
import { RunData } from './data/run-data.js';
import { currentLanguage, say, setLanguage } from './language/text.js';

/** Starts the page with what the file holds. */
async function start(): Promise<void> {
    const root = document.getElementById('page');
    if (root === null) return;
    setLanguage(currentLanguage());
    root.textContent = say('loading');
    try {
        const source = new FileSource();
        const data = new RunData(await source.readPage());
        document.title = `${data.header.dir.slice(0, 80)} · resume-run`;
        root.textContent = '';
        render(<App data={data} source={source} />, root);
    } catch (error) {
        root.textContent = say('cannotLoad', { reason: String(error) });
        throw error;
    }
}

void start();
