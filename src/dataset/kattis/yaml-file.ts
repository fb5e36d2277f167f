import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { Json } from '../../model/json.js';
import { UserError } from '../../util/user-error.js';
import { Field } from '../field.js';
import type { PackageFile } from './package-files.js';

/** No settings file of a package comes near it. */
const MAX_YAML_BYTES = 1024 * 1024;

/** A YAML file whose top is a map; an empty file is an empty map. @param place for messages */
export async function readYamlFile(file: PackageFile, place: string): Promise<Field> {
    if (file.refused !== null) throw new UserError(`${place}: ${file.refused}`);
    if (file.size > MAX_YAML_BYTES) throw new UserError(`${place}: is larger than 1 MiB`);
    return parseYaml(await readFile(file.path, 'utf8'), place);
}

/** @throws UserError for text that is not YAML, or not a map */
export function parseYaml(text: string, place: string): Field {
    let value: Json | undefined;
    try {
        // Real packages repeat keys; the last one counts, as for most readers of YAML.
        value = parse(text.replace(/^\uFEFF/, ''), { uniqueKeys: false, logLevel: 'error' }) as
            | Json
            | undefined;
    } catch (error) {
        const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
        throw new UserError(`${place}: not valid YAML: ${why}`);
    }
    const top = Field.of({ top: value ?? {} }, place, null).get('top');
    return Field.of(top.object(), place, null);
}
