/*
 * Messages of Java, Go and Rust compilers about packages that the machine lacks. The length of names is bounded so that no text
 * can make a search slow.
 */

/**
 * The name of the package that a compiler reports as missing, if the sources import it and no standard library has ever contained
 * it; else null.
 */
export type FindPackage = (said: string, sources: readonly string[]) => string | null;

/** Returns the first name matched by `says` that qualifies, since a program may miss several packages. */
function firstWanted(
    said: string,
    says: RegExp,
    isStandard: (name: string) => boolean,
    isImported: (name: string) => boolean,
): string | null {
    for (const match of said.matchAll(says)) {
        const name = match.slice(1).find((group) => group !== undefined);
        if (name !== undefined && !isStandard(name) && isImported(name)) return name;
    }
    return null;
}

const escaped = (name: string): string => name.replace(/[.+*?^$()[\]{}|\\/-]/g, String.raw`\$&`);

const someMatch = (sources: readonly string[], pattern: RegExp): boolean =>
    sources.some((source) => pattern.test(source));

/**
 * `javafx` came only with Oracle's JDK. Packages that were removed from the JDK itself, such as `javax.xml.bind`, are the
 * program's own fault.
 */
const JAVA_STANDARD = /^(?:java|javax|jdk|sun|com\.sun|org\.omg|org\.w3c|org\.xml|org\.ietf)(?:\.|$)/;

export const findJavaPackage: FindPackage = (said, sources) =>
    firstWanted(
        said,
        /error: package ([\w.]{1,200}) does not exist/g,
        (name) => JAVA_STANDARD.test(name),
        (name) =>
            someMatch(
                sources,
                new RegExp(String.raw`^[ \t]*import[ \t]+(?:static[ \t]+)?${escaped(name)}[ \t]*\.`, 'm'),
            ),
    );

/** Paths whose first part has no dot belong to Go's standard library, whatever the version. */
export const findGoPackage: FindPackage = (said, sources) =>
    firstWanted(
        said,
        /no required module provides package ([\w./~-]{1,200}?)[:;]|cannot find package "([\w./~-]{1,200})"|cannot find module providing package ([\w./~-]{1,200})/g,
        (name) => !(name.split('/')[0] ?? '').includes('.') || name.startsWith('.'),
        (name) => sources.some((source) => source.includes(`"${name}"`) || source.includes(`\`${name}\``)),
    );

/** Crates that come with the compiler, path keywords, and modules of `std` that a program used without importing them. */
const NOT_CRATES = new Set(
    (
        'std core alloc proc_macro test crate self super ' +
        'any array ascii backtrace borrow boxed cell char clone cmp collections convert default env error f32 f64 ffi fmt fs ' +
        'future hash hint i8 i16 i32 i64 i128 io iter marker mem net num ops option os panic path pin prelude primitive ' +
        'process ptr rc result slice str string sync task thread time u8 u16 u32 u64 u128 usize vec'
    ).split(' '),
);

/** `num` is both a module of std and a crate that judges offered: `extern crate` and `num::` in a `use` mean the crate. */
const CRATES_TOO = new Set(['num']);

export const findRustCrate: FindPackage = (said, sources) =>
    firstWanted(
        said,
        /can't find crate for `(\w{1,100})`|use of (?:undeclared crate or module|unresolved module or unlinked crate) `(\w{1,100})`|maybe a missing (?:crate|`extern crate) [`]?(\w{1,100})/gi,
        (name) => NOT_CRATES.has(name) && !CRATES_TOO.has(name),
        (name) =>
            someMatch(
                sources,
                new RegExp(
                    String.raw`\bextern[ \t]+crate[ \t]+${name}\b|^[ \t]*(?:pub[ \t]+)?use[ \t]+(?:::)?(?:\{[^;]{0,500}?[\s,{])?${name}\b`,
                    'm',
                ),
            ),
    );
