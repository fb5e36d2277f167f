import { UserError } from '../util/user-error.js';

/** A dataset's content is not as expected. The message names the place first, then what was expected. */
export function makeDatasetError(message: string): UserError {
    return new UserError(message, 2, { code: 'RESUME_RUN_INVALID_DATASET' });
}

/** A file has changed since it was planned: reading on would pair results with other rows. */
export function makeChangedDatasetError(what: string): UserError {
    return new UserError(`${what} changed while it was in use; start again`, 2, {
        code: 'RESUME_RUN_DATASET_CHANGED',
    });
}
