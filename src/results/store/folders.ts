import { AGGREGATES } from '../aggregate/aggregate-files.js';
import { PARTS } from './manifest.js';
import { RETIREMENTS } from './retirement-files.js';

/** Folders of the files that a manifest names. */
export const FOLDERS = [PARTS, RETIREMENTS, AGGREGATES] as const;
