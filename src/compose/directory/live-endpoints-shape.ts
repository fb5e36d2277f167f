import { z } from 'zod';

/** The part of a live file that `status` uses. */
export const LIVE_ENDPOINTS = z.object({
    shard: z.string().nullable(),
    at: z.number().int().min(0).max(8.64e15),
    endpoints: z.array(
        z.object({
            endpoint: z.string(),
            state: z.enum(['healthy', 'cooling', 'down', 'refused']),
            inFlight: z.number(),
            done: z.number(),
            failures: z.number(),
            meanTime: z.number().nullable(),
            coolDowns: z.number(),
            concurrency: z.number(),
            calibration: z.array(z.object({ width: z.number(), perSecond: z.number() })).exactOptional(),
        }),
    ),
});
