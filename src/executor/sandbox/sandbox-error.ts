/** The sandbox or the helper failed, which says nothing about the program. Becomes the failure `sandbox`. */
export class SandboxError extends Error {
    override readonly name = 'SandboxError';
}
