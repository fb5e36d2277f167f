/** A type whose members may be set: for whoever builds or counts what everybody else only reads. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
