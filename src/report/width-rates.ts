import type { WidthRate } from '../model/event.js';

/** The rates of a calibration: `6.7/s at 1, 12.5/s at 2, 12.1/s at 4`. */
export const formatWidthRates = (rates: readonly WidthRate[]): string =>
    rates.map(({ width, perSecond }) => `${perSecond.toFixed(1)}/s at ${width}`).join(', ');
