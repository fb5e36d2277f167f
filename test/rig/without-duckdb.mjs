/* Loaded by NODE_OPTIONS=--import: the process cannot find DuckDB, as on a machine where it is not installed. */
import Module from 'node:module';

const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
    if (request === '@duckdb/node-api')
        throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
    return resolve(request, ...rest);
};
