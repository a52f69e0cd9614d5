import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', 'ort-worker': 'src/classifiers/ort-worker.ts' },
  format: 'esm',
  platform: 'node',
  fixedExtension: false,
  dts: true,
});
