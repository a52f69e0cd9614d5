/** What this package needs of the global WebAssembly, which browsers and Node share and no library of types has without a DOM. */
declare const WebAssembly:
  | {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object, imports: object) => { readonly exports: unknown };
    }
  | undefined;

/**
 * The exports of a WebAssembly module that imports nothing, or undefined where modules are not run: by an engine without 128-bit
 * instructions, or under a policy that forbids them.
 *
 * @param base64 the module's bytes
 */
export function runModule<Exports>(base64: string): Exports | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as Exports; // a test calls each of them
  } catch (error) {
    if (error instanceof Error && error.name === 'CompileError') return undefined;
    throw error;
  }
}
