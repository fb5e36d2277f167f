/* Loaded by NODE_OPTIONS=--import: the process cannot find DuckDB, as on a machine where it is not installed. */
import { register } from 'node:module';

const hooks = `
export async function resolve(specifier, context, next) {
    if (specifier === '@duckdb/node-api') {
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    }
    return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
