import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { numpyRandom, type OpenedDevice, type Tensor, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { type Classifier, explain, methods, ortClassifier, probeImage, webgpuClassifier } from '../src/index.ts';
import { caseC } from './support/tiny-nets.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const graph = caseC();
const random = numpyRandom(12);
const images = Array.from({ length: 20 }, () => uniformTensor(random, [1, 3, 6, 6]));

/** A map as a study makes one: an image, its probe, every channel masked that is not constant. */
async function makeMap(classifier: Classifier, image: Tensor): Promise<void> {
  const shown = await probeImage(classifier, image, { layers: ['features'] });
  const { map } = await explain(await shown.at('features', 1), methods['score-cam']);
  expect(map.shape).toEqual([6, 6]);
}

/** Microseconds of this process, all threads: what the machine does besides is not in them. */
async function costsOf(classifier: Classifier, count: number): Promise<number[]> {
  const costs: number[] = [];
  for (let map = 0; map < count; map++) {
    const before = process.cpuUsage();
    await makeMap(classifier, images[map % images.length]);
    const { user, system } = process.cpuUsage(before);
    costs.push(user + system);
  }
  return costs;
}

async function bytesInUse() {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((done) => setTimeout(done, 20)); // finalisers run between
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/**
 * Makes a thousand maps after those that warm up.
 *
 * @returns bytes gained by the heap, by the process in the quietest fifth, and how much slower the last hundred are than the first
 */
async function thousandMaps(classifier: Classifier) {
  await costsOf(classifier, 100); // compiles, plans, and lets V8 optimise
  const marks = [await bytesInUse()];
  const costs: number[] = [];
  for (let fifth = 0; fifth < 5; fifth++) {
    costs.push(...(await costsOf(classifier, 200)));
    marks.push(await bytesInUse());
  }
  const gains = marks.slice(1).map(({ rss }, fifth) => rss - marks[fifth].rss);
  return {
    heap: marks[5].heap - marks[0].heap,
    rss: Math.min(...gains),
    slower: lowestTenth(costs.slice(-100)) / lowestTenth(costs.slice(0, 100)),
  };
}

/** What a tenth of the values are below: the cost where nothing else got in the way. */
function lowestTenth(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)];
}

function expectFlat({ heap, rss, slower }: Awaited<ReturnType<typeof thousandMaps>>): void {
  expect(heap).toBeLessThan(500_000); // what keeping half a kilobyte of each map would gain
  expect(rss).toBeLessThan(4_000_000); // threads take arenas now and then; a leak gains in every fifth, here 20 kB a map
  expect(slower).toBeLessThan(3); // a loaded machine doubles it; what is kept and gone through each time makes it ten
}

test('a thousand maps on ONNX Runtime take the memory and the time for each that the first ones took', async () => {
  await using classifier = ortClassifier(graph);
  expectFlat(await thousandMaps(classifier));
});

describeGpu('a thousand maps on a GPU', ({ open }) => {
  let opened: OpenedDevice;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test('take the memory and the time for each that the first ones took', async () => {
    await using classifier = webgpuClassifier(graph, opened);
    await costsOf(classifier, images.length);
    const planned = classifier.memory();
    expectFlat(await thousandMaps(classifier));
    expect(classifier.memory()).toEqual(planned); // to the byte
  });
});
