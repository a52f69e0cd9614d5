import { readFileSync } from 'node:fs';
import { type MetricName, metrics } from '../src/index.ts';
import { benchSubject } from './subject.ts';

// Prints the largest resident memory, in MB, of a process that scores one map: METRIC OPTION VALUE.
const [name, option, value] = process.argv.slice(2);
const metric = metrics[name as MetricName]; // the bench names metrics of the registry
await metric.score(benchSubject(), { [option]: Number(value) });
console.log(peakMegabytes());

/** Linux keeps a process's own peak; the portable number may be its parent's, which it inherits. */
function peakMegabytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}
