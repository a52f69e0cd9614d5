import { fileURLToPath } from 'node:url';
import { defineConfig } from 'tsdown';

// The benchmark of a GPU, for a machine without packages. Dawn's binding stays outside, and ONNX Runtime, which the part that wants
// it looks for when it is loaded.
export default defineConfig({
  entry: fileURLToPath(new URL('../packages/cam/bench/webgpu.ts', import.meta.url)),
  outDir: fileURLToPath(new URL('../.gpu-kit', import.meta.url)),
  clean: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  dts: false,
  tsconfig: false,
  outExtensions: () => ({ js: '.mjs' }),
  deps: { neverBundle: ['webgpu', 'onnxruntime-node'], alwaysBundle: [/.*/] },
  inputOptions: { resolve: { conditionNames: ['source', 'import', 'node'] } },
});
