import { z } from 'zod';
import { UserError } from '../util/user-error.js';

/** Validates a part of a run's descriptor that came from Redis. @throws UserError naming the first invalid field */
export function checkDescriptor<T>(schema: z.ZodType<T>, theirs: unknown): T {
    const { data, error } = schema.safeParse(theirs);
    if (error === undefined) return data;
    const [first] = error.issues;
    throw new UserError(`its descriptor is invalid: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`);
}

/** A setting that may be null, its meaning where an earlier version, which did not have the setting, leaves it out. */
export const orNull = <T extends z.ZodType>(schema: T): z.ZodDefault<z.ZodNullable<T>> =>
    z.nullable(schema).default(null as never);

/** A switch; off where an earlier version, which did not have it, leaves it out. */
export const orOff = (): z.ZodDefault<z.ZodBoolean> => z.boolean().default(false);
