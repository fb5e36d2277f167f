/*
 * `node --import log-imports.mjs` appends the URL of every ES module that is loaded to the file named by LOG_IMPORTS.
 */
import { register } from 'node:module';

const hooks = `
    import { appendFileSync } from 'node:fs';
    export async function load(url, context, next) {
        appendFileSync(process.env.LOG_IMPORTS, url + '\\n');
        return next(url, context);
    }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
