/** An amount of memory or disk for people: `46 MB`, `1.9 GB`; whole megabytes, rounded up. */
export function formatBytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
