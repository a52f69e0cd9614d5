import { existsSync } from 'node:fs';

/**
 * Whether the system has a graphics device at all. On Linux, where there is none, Vulkan need not be asked: Dawn would warn on
 * stderr of a loader or of drivers that are missing. Elsewhere nobody knows before asking.
 */
export function mayHaveGraphics(): boolean {
  return process.platform !== 'linux' || PLACES.some((path) => existsSync(path));
}

/** In words, where there is none. */
export const NO_GRAPHICS = 'there is no graphics device in /dev';

/** Of Mesa's drivers, NVIDIA's, WSL's and ARM's. */
const PLACES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg', '/dev/mali0'];
