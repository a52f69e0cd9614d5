import type { AnyCamMethod, Probe } from '@cambium/cam';
import { numpyRandom, type Shape, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import type { Explained } from './cells.ts';
import { runMethods } from './study.ts';

/** What a method asks of an image at a layer. Equal requests have equal names and are answered once. */
export interface Requests {
  /** Walks back, each with its own forward pass. */
  readonly walks: readonly string[];
  /** Masked images: one for each convention and channel. */
  readonly masks: readonly string[];
  /** Whether it asks for the image under a mask of zeros. */
  readonly blank: boolean;
}

/**
 * Finds out what a method asks for by running it on made-up activations and writing its questions down: no method need
 * declare its cost. An upper bound: channels that turn out constant or alike need no pass of their own.
 *
 * @param layer channels×height×width
 */
export async function requestsOf({ method, options }: Explained, layer: Shape, classes: number): Promise<Requests> {
  const record = { walks: new Set<string>(), masks: new Set<string>(), blank: false };
  if (method === 'maps') return { walks: [], masks: [], blank: false };
  const made: AnyCamMethod = runMethods[method];
  await made.weights(recordingProbe(layer, classes, record), { ...made.defaults, ...options });
  return { walks: [...record.walks], masks: [...record.masks], blank: record.blank };
}

interface Recorded {
  readonly walks: Set<string>;
  readonly masks: Set<string>;
  blank: boolean;
}

function recordingProbe(layer: Shape, classes: number, record: Recorded): Probe {
  const random = numpyRandom(0);
  const block = uniformTensor(random, [BLOCK]).data;
  const numbers = (...shape: number[]): Tensor => repeated(block, shape);
  return {
    image: numbers(1, 3, 1, 1),
    layer: '',
    target: 0,
    logits: numbers(classes).data,
    activations: numbers(...layer), // the same for every method, so that equal channels are chosen
    random,
    async backward(rule, start) {
      record.walks.add(start ? `${rule} ${start.join()}` : rule);
      return numbers(...layer);
    },
    async maskedLogits(channels, convention) {
      for (const channel of channels) record.masks.add(`${JSON.stringify(convention)} ${channel}`);
      return numbers(channels.length, classes);
    },
    async blankLogits() {
      record.blank = true;
      return numbers(classes).data;
    },
  };
}

/** Prime, so that the numbers of no two channels begin at the same place of a block. */
const BLOCK = 4099;

function repeated(block: Float32Array, shape: readonly number[]): Tensor {
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
  for (let start = 0; start < data.length; start += BLOCK) data.set(block.subarray(0, data.length - start), start);
  return tensor(data, shape);
}
