import { defaultClientConditions, defineConfig } from 'vite';

// `source` makes @cambium/gpu-kernels its TypeScript. Outside of this repository the package needs no configuration.
export default defineConfig({ resolve: { conditions: ['source', ...defaultClientConditions] } });
