import type { KernelName, Named, OpenedDevice, Shape, WebgpuEngine } from '../src/index.ts';
import type { Overlap } from './overlap.ts';

/** What the benchmark found, as `--json` writes it. */
export interface Report {
  readonly adapter: OpenedDevice['adapter'];
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: OpenedDevice['limits'];
  readonly clock: WebgpuEngine['clock'];
  readonly ceilings: { readonly bytesPerSecond: number; readonly flopsPerSecond: number };
  readonly overlap: Overlap;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly kernel: KernelName;
  readonly shapes: Named<string, Shape>;
  readonly output: Shape;
  /** Normalised mean squared error against the reference loops. */
  readonly error: number;
  /** Median over the rounds, of one run. */
  readonly seconds: number;
  /** Every input read once and the output written once. */
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number | null;
  /** What would hold a perfect program back. */
  readonly limit: 'memory' | 'arithmetic';
  /** The time of a perfect program divided by ours. Above 1 where the device's caches hold what was to be moved. */
  readonly fraction: number;
}

export function printHeader({ adapter, software, clock }: Pick<Report, 'adapter' | 'software' | 'clock'>): void {
  const name = adapter.description || adapter.device || adapter.vendor;
  console.log(`${name}${software ? ', in software: small sizes, and times that mean little' : ''}; clock: ${clock}`);
}

export function printCeilings({ bytesPerSecond, flopsPerSecond }: Report['ceilings']): void {
  const bytes = giga(bytesPerSecond);
  const flops = giga(flopsPerSecond);
  console.log(`This device copies ${bytes} GB/s and does ${flops} GFLOP/s of fused multiply-adds.`);
}

export function printOverlap({ results, bytes, computing, apart, together }: Overlap): void {
  const times = [computing, apart, together].map((seconds) => `${(1000 * seconds).toFixed(1)} ms`);
  console.log(
    `${results} results of ${(bytes / 1e6).toFixed(1)} MB take ${times[1]} uploaded, computed and read one after another, ` +
      `${times[2]} asked for together (${(together / apart).toFixed(2)}), and ${times[0]} computed alone.\n`,
  );
  console.log(line(['kernel', 'ms', 'GB/s', 'GFLOP/s', 'of device', 'limit', 'error']));
}

export function printRow({ kernel, seconds, bytesPerSecond, flopsPerSecond, fraction, limit, error }: Row): void {
  console.log(
    line([
      kernel,
      (1000 * seconds).toFixed(4),
      giga(bytesPerSecond),
      flopsPerSecond === null ? '' : giga(flopsPerSecond),
      `${(100 * fraction).toFixed(0)} %`,
      limit,
      error.toExponential(0),
    ]),
  );
}

function line([kernel, ...cells]: readonly string[]): string {
  return kernel.padEnd(20) + cells.map((cell) => cell.padStart(11)).join('');
}

/** In thousand millions, with three digits where there are no more before the point. */
function giga(value: number): string {
  const inGiga = value / 1e9;
  return inGiga >= 100 ? inGiga.toFixed(0) : inGiga.toPrecision(3);
}
