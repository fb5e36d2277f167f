#!/usr/bin/env node
import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

// From the second start on modules need no compiling (Node 22 and later). In a folder of this user's own: in a shared one
// anybody could leave code for us.
const cache = process.env.XDG_CACHE_HOME || cacheInHome();
if (isAbsolute(cache)) module.enableCompileCache?.(join(cache, 'resume-run', 'modules'));
await import('../dist/bundle/cli.js');

/** '' for a user without a home, such as a container's that stands in no list of users. */
function cacheInHome() {
    try {
        return join(homedir(), '.cache');
    } catch {
        return '';
    }
}
