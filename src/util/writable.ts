/** A type whose members may be set: for code that builds a value which all others only read. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
