/** Why a package's tests cannot be made. The text follows "its secret tests could not be made by its generators: ". */
export class RecipeError extends Error {
    override readonly name = 'RecipeError';
}

/** Converts to a path from the package's folder: absolute paths start there, relative ones at generators/. @throws RecipeError */
export const rootGeneratorPath = (path: string): string =>
    normalizePath(path.startsWith('/') ? path.slice(1) : `generators/${path}`);

/** @throws RecipeError for a path that leads out of the package */
export function normalizePath(path: string): string {
    const parts: string[] = [];
    for (const part of path.split('/')) {
        if (part === '' || part === '.') continue;
        if (part !== '..') parts.push(part);
        else if (parts.pop() === undefined) throw new RecipeError(`${path} leads out of the package`);
    }
    return parts.join('/');
}
