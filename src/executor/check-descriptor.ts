import type { z } from 'zod';
import { UserError } from '../util/user-error.js';

/** Reads a part of a run's description that came from Redis. @throws UserError with the first field that is wrong */
export function checkDescriptor<T>(schema: z.ZodType<T>, theirs: unknown): T {
    const { data, error } = schema.safeParse(theirs);
    if (error === undefined) return data;
    const [first] = error.issues;
    throw new UserError(
        `its description cannot be used: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`,
    );
}
