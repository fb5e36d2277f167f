import { stampFile } from '../../host/stamp.js';

/** A free name `<path>.corrupt-<time>` for a file that cannot be read; never one that exists. */
export function quarantinePath(path: string): string {
    const time = new Date().toISOString().replaceAll(/[:-]|\.\d+/g, '');
    for (let number = 1; ; number += 1) {
        const name = `${path}.corrupt-${time}${number === 1 ? '' : `-${number}`}`;
        if (stampFile(name) === null) return name;
    }
}
