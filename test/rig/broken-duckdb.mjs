/* Preloaded (`node --import`): DuckDB is installed, but its native library is missing. */
import Module from 'node:module';

const load = Module._load;
Module._load = (request, ...rest) => {
    if (request.includes('@duckdb/node-bindings')) {
        const why = 'libduckdb.so: cannot open shared object file';
        throw Object.assign(new Error(why), { code: 'ERR_DLOPEN_FAILED' });
    }
    return load(request, ...rest);
};
