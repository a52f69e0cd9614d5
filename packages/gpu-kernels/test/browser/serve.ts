import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** Pages served on loopback, at an address that ends in a slash. */
export interface Served extends AsyncDisposable {
  readonly address: string;
}

/**
 * Serves a folder of this package with Vite, which hands TypeScript to the browser as it stands in `src`.
 *
 * @param folder relative to the package, with an `index.html`; its `vite.config.ts` is used where there is one
 */
export async function serve(folder: string): Promise<Served> {
  const server = await createServer({
    root: fileURLToPath(new URL(`../../${folder}`, import.meta.url)),
    logLevel: 'warn',
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0];
  if (!address) throw new Error(`Vite served ${folder} without saying where.`);
  return { address, [Symbol.asyncDispose]: () => server.close() };
}
