import { numpyRandom, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { rules } from '../src/backward/rules/index.ts';
import { resolveLayer } from '../src/layers.ts';
import type { Classifier } from '../src/types.ts';
import { type Rounds, spreadOfRounds } from './alternate.ts';

/** Milliseconds that forward pass and walk to layer2 take for an image, as `gradientMs` and so on: medians of batches of `count`. */
export async function walkTimes(
  classifier: Classifier,
  count: number,
  rounds: Rounds,
): Promise<{ readonly [name: string]: number }> {
  const images = uniformTensor(numpyRandom(3), [count, 3, 224, 224], -2, 2);
  const layer = resolveLayer(classifier.graph, 'layer2');
  const times: { [name: string]: number } = {};
  for (const rule of ['gradient', 'zPlus'] as const) {
    const one = rules[rule].start(classifier.classes, 0);
    const start = tensor(Array.from({ length: count }, () => [...one]).flat(), [count, one.length]);
    const walk = () => classifier.backward(images, layer, rule, start);
    await walk();
    times[`${rule}Ms`] = (1000 * (await spreadOfRounds(walk, rounds)).median) / count;
  }
  return times;
}
