import { readFileSync, writeFileSync } from 'node:fs';
import type { MapRow } from './records.ts';

/** Memory that this process has in use, from a moment on. */
export interface MemoryMark {
  /** Bytes at that moment, and the most there have been since; undefined where the system does not tell. */
  read(): MapRow['memory'];
}

/**
 * Begins to watch the memory of this process, all threads and native libraries included. The kernel itself keeps the
 * highest mark, so that no moment between two looks is missed; only Linux lets a process begin it anew.
 */
export function markMemory(): MemoryMark {
  const before = beginAnew();
  return {
    read() {
      if (before === undefined) return undefined;
      const peak = statusOf('VmHWM');
      return peak === undefined ? undefined : { before, peak: Math.max(before, peak) };
    },
  };
}

function beginAnew(): number | undefined {
  try {
    writeFileSync('/proc/self/clear_refs', '5'); // proc(5): resets the peak of the resident set
    return statusOf('VmRSS');
  } catch {
    return undefined; // another system, or one that does not allow it
  }
}

/** Bytes. */
function statusOf(field: string): number | undefined {
  try {
    const found = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
    return found ? 1024 * Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}
