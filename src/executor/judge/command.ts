/** Values of the placeholders in a language's commands. Each element of a list becomes one argument. */
export type Placeholders = Readonly<Record<string, string | readonly string[]>>;

/** Fills in a command of the language table. An argument that is a list's placeholder becomes one argument per element. */
export function fillIn(command: readonly string[], values: Placeholders): [string, ...string[]] {
    const args = command.flatMap((argument) => {
        const whole = /^\{(\w+)\}$/.exec(argument)?.[1];
        const list = whole === undefined ? undefined : values[whole];
        if (Array.isArray(list)) return list as readonly string[];
        return [argument.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all))];
    });
    const [first, ...rest] = args;
    if (first === undefined) throw new Error('bug in resume-run: an empty command');
    return [first, ...rest];
}

/** The variants of a command that contains `{this|that}`, in the order in which they are tried. */
export function listVariants(command: readonly string[]): [readonly string[], ...(readonly string[])[]] {
    const place = command.findIndex((argument) => CHOICE.test(argument));
    const choices = CHOICE.exec(command[place] ?? '')?.[1]?.split('|') ?? [];
    const [first, ...others] = choices.map((choice) =>
        command.map((argument, i) => (i === place ? argument.replace(CHOICE, choice) : argument)),
    );
    return first === undefined ? [command] : [first, ...others];
}

const CHOICE = /\{([^{}|]+(?:\|[^{}|]+)+)\}/;
