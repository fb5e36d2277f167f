import type { StorageFormat } from '../result-store.js';

/** The line that states a database's storage format; scripts of the earlier tools look for it. */
export function describeStorage(storage: StorageFormat): string {
    return storage === 'parquet'
        ? '[INFO] 使用Parquet存储格式 (the database is written as Parquet)'
        : '[INFO] 使用JSON存储格式 (the database is written as JSON)';
}
