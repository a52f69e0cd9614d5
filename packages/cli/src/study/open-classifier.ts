import { availableProviders, type Classifier, NameError, ortClassifier, type Provider } from '@cambium/cam';
import { UsageError } from '../errors.ts';
import type { Study } from './study.ts';

/** What `--device` takes. */
export const devices = ['auto', 'gpu', 'cpu'] as const;

/** A classifier with how long it has worked. */
export interface TimedClassifier {
  readonly classifier: Classifier;
  /** Seconds in which the network was compiled or computed, forward or backward, within the runtime alone. */
  seconds(): number;
}

/**
 * Opens the classifier that a study runs on, with room for every compiled network that one image needs.
 *
 * `auto` computes on the CPU; `gpu` takes the first GPU that the installed ONNX Runtime has.
 *
 * @throws NameError when there is no such device; UsageError when it is not here
 */
export function openClassifier({ model, layers, techniques, suite }: Study, device: string): TimedClassifier {
  const known = devices.find((name) => name === device);
  if (!known) throw new NameError('device', device, devices);
  // forward, variants of metrics; at each layer the masks of each convention and the walks
  const sessions = 4 + layers.length * (techniques.length + 1);
  let seconds = 0;
  const onWork = (more: number) => {
    seconds += more;
  };
  const options = { provider: providerOf(known), maxBatch: suite.batch, sessions, onWork };
  return { classifier: ortClassifier(model.graph, options), seconds: () => seconds };
}

function providerOf(device: (typeof devices)[number]): Provider {
  if (device !== 'gpu') return 'cpu';
  const installed = availableProviders();
  const found = GPUS.find((provider) => installed.includes(provider));
  if (found) return found;
  throw new UsageError(
    `--device gpu: the installed ONNX Runtime computes on ${installed.join(', ')} only. Use --device cpu.`,
  );
}

const GPUS = ['cuda', 'webgpu', 'coreml', 'dml'] as const satisfies readonly Provider[];
