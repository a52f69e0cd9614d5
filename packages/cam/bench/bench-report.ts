import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DeviceCeilings } from './device-ceilings.ts';
import { ofRoofline, type StepTime } from './step-times.ts';

/** Additions and multiplications of one forward pass of ResNet-50 at 224². */
const FLOPS = 8.17e9;

/** What is known of a variant at a batch: numbers, or why there are none. */
export interface BenchRow {
  readonly what: string;
  readonly variant: string;
  readonly precision: string;
  readonly batch: number;
  readonly device: string;
  readonly failed?: string;
  readonly maskedForwardsPerSecond?: number | null;
  readonly [number: string]: unknown;
}

export interface BenchReport {
  readonly schema: 'cambium-bench/2';
  ceilings: DeviceCeilings;
  readonly rows: BenchRow[];
  readonly steps: (StepTime & { readonly variant: string; readonly batch: number })[];
  readonly convolutions: object[];
  readonly host: object[];
  /** Machine, adapter and versions. */
  readonly [part: string]: unknown;
}

/** The part of the measured peak that a speed comes to: of the matrices' in half precision where there are some, else of float32's. */
export function peaksOf({ precision, maskedForwardsPerSecond: speed }: BenchRow, ceilings: DeviceCeilings) {
  if (!speed) return {};
  const peak = (precision === 'f16' ? ceilings.matrices : null) ?? ceilings.f32;
  const flops = speed * FLOPS;
  return { teraflopsPerSecond: flops / 1e12, ofPeak: flops / peak, ofF32Peak: flops / ceilings.f32 };
}

/**
 * Writes the report, whole at any moment, also where the run is ended meanwhile. Parts of peaks and rooflines are always of the
 * ceilings that the file holds.
 */
export async function saveReport(path: string, report: BenchReport): Promise<void> {
  const { ceilings } = report;
  const rows = report.rows.map((row) => ({ ...row, ...peaksOf(row, ceilings) }));
  const steps = report.steps.map((step) => ({ ...step, ofRoofline: ofRoofline(step, ceilings) }));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, `${JSON.stringify({ ...report, rows, steps }, null, 2)}\n`);
  await rename(`${path}.part`, path);
}
