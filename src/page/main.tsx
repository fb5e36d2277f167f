import { render } from 'preact';
import { App } from './app.js';
import { FileSource } from './data/detail-source.js';
import { RunData } from './data/run-data.js';
import { ServerSource } from './data/server-source.js';
import { detectLanguage, say, setLanguage } from './language/text.js';

/** Starts the page with the data in the file, or with what `resume-run view` serves. */
async function start(): Promise<void> {
    const root = document.getElementById('page');
    if (root === null) return;
    setLanguage(detectLanguage());
    root.textContent = say('loading');
    try {
        const server =
            document.querySelector('meta[name=page-source]') === null
                ? null
                : new ServerSource(location.search);
        await server?.readRuns();
        const source = server ?? new FileSource();
        const data = new RunData(await source.readPage());
        document.title = `${data.header.dir.slice(0, 80)} · resume-run`;
        root.textContent = '';
        render(<App firstData={data} source={source} server={server} />, root);
    } catch (error) {
        root.textContent = say('cannotLoad', { reason: String(error) });
        throw error;
    }
}

void start();
