/* Preloaded (`node --import`): a machine on which the optional package DuckDB is not installed. */
import { register } from 'node:module';

const hook = `export async function resolve(specifier, context, next) {
    if (specifier === '@duckdb/node-api') throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
