import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { main as compile } from 'assemblyscript/asc';

const ROOT = join(import.meta.dirname, '..');

/** WebAssembly modules: sources in AssemblyScript, and the TypeScript files that hold the compiled bytes. */
export const modules = [
  {
    source: 'packages/gpu-kernels/wasm/random.ts',
    target: 'packages/gpu-kernels/src/random-wasm.ts',
    name: 'randomWasm',
  },
  {
    source: 'packages/metrics/wasm/grid.ts',
    target: 'packages/metrics/src/grid-wasm.ts',
    name: 'gridWasm',
  },
  {
    source: 'packages/metrics/wasm/distances.ts',
    target: 'packages/metrics/src/distances-wasm.ts',
    name: 'distancesWasm',
  },
] as const;

/** The target file that a module's source makes. @throws Error with the compiler's messages */
export async function wasmFile({ source, name }: (typeof modules)[number]): Promise<string> {
  let bytes = '';
  const { error, stderr } = await compile(
    [
      source,
      '--outFile',
      'out.wasm',
      '-O3',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--noAssert',
      '--use',
      'abort=',
      '--initialMemory',
      '2',
    ],
    {
      readFile: (file, folder) => readFile(join(folder, file), 'utf8').catch(() => null),
      writeFile: (_, contents) => {
        bytes = Buffer.from(contents).toString('base64');
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${source} does not compile: ${stderr}`, { cause: error });
  const lines = bytes.match(/.{1,112}/g) ?? [];
  return `// made of wasm/${source.split('/').pop()} by \`pnpm wasm\`\nexport const ${name} =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
}

if (process.argv[1] === import.meta.filename) {
  for (const module of modules) await writeFile(join(ROOT, module.target), await wasmFile(module));
}
