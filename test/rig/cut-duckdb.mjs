/* Preloaded (`node --import`): DuckDB's native library is replaced by the file that CUT_DUCKDB names. */
import Module from 'node:module';

const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) =>
    /^@duckdb\/node-bindings-.*\/duckdb\.node$/.test(request)
        ? process.env.CUT_DUCKDB
        : resolve(request, ...rest);
