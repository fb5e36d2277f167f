/** The least work that a worker can do. */
export default function noop(): { readonly accepted: true } {
    return { accepted: true };
}
