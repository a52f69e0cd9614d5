export { interpret } from './interpret.ts';
export { resolvePads, windowOf } from './shapes/window.ts';
