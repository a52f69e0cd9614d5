import { arch, cpus, platform, release, totalmem } from 'node:os';

/** The machine that times were taken on. */
export interface Machine {
  readonly cpu: string;
  /** Logical ones. */
  readonly cores: number;
  readonly memoryGB: number;
  /** Platform, release and architecture. */
  readonly system: string;
  readonly node: string;
}

/** This machine. */
export function thisMachine(): Machine {
  const all = cpus(); // empty where the system hides them
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: Math.max(1, all.length),
    memoryGB: Math.round(totalmem() / 1e9),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}
