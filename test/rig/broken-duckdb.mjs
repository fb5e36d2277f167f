/* Preloaded (`node --import`): DuckDB is installed, and its native library is missing. */
import { register } from 'node:module';

const hook = `export async function resolve(specifier, context, next) {
    if (specifier !== '@duckdb/node-api') return next(specifier, context);
    const why = 'libduckdb.so: cannot open shared object file';
    throw Object.assign(new Error(why), { code: 'ERR_DLOPEN_FAILED' });
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
