import { describe, expect, test } from 'vitest';
import {
  add,
  averagePool,
  channelMeans,
  channelsLast,
  concatAxis,
  constantValues,
  conv2d,
  conv2dLast,
  conv2dTranspose,
  divide,
  type Engine,
  fuseConvolutions,
  maskImages,
  maxPool,
  multiply,
  numpyRandom,
  positivePart,
  programOf,
  type RecordedStep,
  type RecordedValue,
  type RecordingEngine,
  type Resident,
  recordingEngine,
  rectify,
  referenceEngine,
  reshape,
  shareSteps,
  sigmoid,
  type Tensor,
  uniformTensor,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';

const around = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;
const pooling = { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceilMode: false } as const;
const image = uniformTensor(numpyRandom(1), [2, 3, 6, 5]);
const namesOf = (steps: readonly RecordedStep[]) => steps.map(({ kernel }) => kernel.name);

/** A convolution of three channels to as many, with weights of its own. */
function convolve(engine: RecordingEngine, input: RecordedValue, seed = 2): RecordedValue {
  const random = numpyRandom(seed);
  const weights = engine.upload(uniformTensor(random, [3, input.shape[1], 3, 3]));
  return engine.run(conv2d, { input, weights, bias: engine.upload(uniformTensor(random, [3])) }, around);
}

function sum(engine: RecordingEngine, left: RecordedValue, right: RecordedValue): RecordedValue {
  return engine.run(add, { left, right }, undefined);
}

function relu(engine: RecordingEngine, input: RecordedValue): RecordedValue {
  return engine.run(positivePart, { input }, undefined);
}

/** Runs steps on plain loops; the one value that is neither constant nor made is the image. */
async function run(steps: readonly RecordedStep[], outputs: readonly RecordedValue[]): Promise<Tensor[]> {
  const engine = referenceEngine();
  const program = programOf(steps, outputs);
  const known = new Map<RecordedValue, Resident>(
    program.needs.map((value) => [value, engine.upload(value.constant ?? image)]),
  );
  return Promise.all(program.run(engine, known).map((resident) => engine.download(resident)));
}

async function expectSame(
  recorded: readonly RecordedStep[],
  outputs: readonly RecordedValue[],
  changed: { readonly steps: readonly RecordedStep[]; readonly outputs: readonly RecordedValue[] },
): Promise<void> {
  const expected = await run(recorded, outputs);
  const actual = await run(changed.steps, changed.outputs);
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  for (const [index, { data }] of actual.entries()) {
    expect(normalisedError(data, expected[index].data)).toBeLessThan(1e-10); // float32, added in another order
  }
}

describe('fuseConvolutions', () => {
  test('a residual block becomes one convolution with shortcut and ReLU', async () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const output = relu(engine, sum(engine, convolve(engine, input), input));
    const steps = fuseConvolutions(engine.steps, [output]);
    expect(namesOf(steps)).toEqual(['conv2dFused']);
    expect(steps[0].options).toMatchObject({ relu: true });
    await expectSame(engine.steps, [output], { steps, outputs: [output] });
  });

  test('of two convolutions that are added one takes the other as its shortcut', async () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const output = sum(engine, convolve(engine, input, 3), convolve(engine, input, 4));
    const steps = fuseConvolutions(engine.steps, [output]);
    expect(namesOf(steps).sort()).toEqual(['conv2d', 'conv2dFused']);
    await expectSame(engine.steps, [output], { steps, outputs: [output] });
  });

  test('what lies between stays where it is read elsewhere, or asked for', async () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const between = convolve(engine, input);
    const output = relu(engine, between);
    const asked = fuseConvolutions(engine.steps, [output, between]);
    expect(namesOf(asked)).toEqual(['conv2d', 'positivePart']);
    const product = engine.run(multiply, { left: between, right: output }, undefined);
    const steps = fuseConvolutions(engine.steps, [product]);
    expect(namesOf(steps)).toEqual(['conv2d', 'positivePart', 'multiply']);
    await expectSame(engine.steps, [product], { steps, outputs: [product] });
  });

  test('a sum that repeats one side, or adds a value to itself, is left alone', () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const bias = engine.upload(uniformTensor(numpyRandom(5), [3, 1, 1]));
    const repeated = sum(engine, convolve(engine, input), bias);
    const maps = convolve(engine, input, 6);
    const doubled = sum(engine, maps, maps);
    expect(namesOf(fuseConvolutions(engine.steps, [repeated, doubled]))).not.toContain('conv2dFused');
  });

  test('a ReLU is not taken twice', async () => {
    const engine = recordingEngine();
    const first = relu(engine, convolve(engine, engine.value(image.shape)));
    const output = sum(engine, first, first);
    const steps = fuseConvolutions(engine.steps, [output]);
    expect(namesOf(steps)).toEqual(['conv2d', 'add']);
    await expectSame(engine.steps, [output], { steps, outputs: [output] });
  });
});

describe('channelsLast', () => {
  const layout = { convolution: () => conv2dLast };

  test.each(['f32', 'f16'] as const)(
    'in %s a network gives what it gave, with odd channel counts',
    async (precision) => {
      const engine = recordingEngine();
      const first = relu(engine, convolve(engine, engine.value(image.shape)));
      const pooled = engine.run(maxPool, { input: first }, pooling);
      const second = convolve(engine, pooled, 7);
      const output = engine.run(channelMeans, { input: sum(engine, second, pooled) }, undefined);
      const expected = await run(engine.steps, [output, pooled]);
      const laidOut = channelsLast(engine.steps, [output, pooled], { ...layout, precision });
      const actual = await run(laidOut.steps, laidOut.outputs);
      for (const [index, { data, shape }] of actual.entries()) {
        expect(shape).toEqual(expected[index].shape);
        expect(normalisedError(data, expected[index].data)).toBeLessThan(precision === 'f32' ? 1e-10 : 1e-5);
      }
      expect(namesOf(laidOut.steps)).toContain(precision === 'f32' ? 'conv2dLast' : 'conv2dHalf');
    },
  );

  test('the way back is laid out as well, in float32', async () => {
    const engine = recordingEngine();
    const weights = engine.upload(uniformTensor(numpyRandom(8), [3, 5, 3, 3]));
    const options = { ...around, strides: [2, 2], outputSize: [12, 10] } as const;
    const output = engine.run(conv2dTranspose, { input: engine.value(image.shape), weights }, options);
    const laidOut = channelsLast(engine.steps, [output], layout);
    expect(namesOf(laidOut.steps)).toContain('conv2dLast');
    await expectSame(engine.steps, [output], laidOut);
    expect(namesOf(channelsLast(engine.steps, [output], { ...layout, precision: 'f16' }).steps)).toEqual([
      'conv2dTranspose',
    ]);
  });

  test('a value goes into the layout once, however often it is read there', () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const outputs = [convolve(engine, input, 1), convolve(engine, input, 2)];
    const { steps } = channelsLast(engine.steps, outputs, layout);
    expect(namesOf(steps).filter((name) => name === 'packLast')).toHaveLength(1);
  });

  test('quotients stay finite: in padded channels nothing is divided', async () => {
    const engine = recordingEngine();
    const maps = convolve(engine, engine.value(image.shape));
    const quotient = engine.run(divide, { left: maps, right: maps }, undefined);
    const output = convolve(engine, quotient, 9); // would read 0 / 0 in the fourth channel
    await expectSame(engine.steps, [output], channelsLast(engine.steps, [output], layout));
  });

  /** A convolution of eight channels in so many groups, with weights of its own. */
  function grouped(engine: RecordingEngine, input: RecordedValue, groups: number): RecordedValue {
    const random = numpyRandom(groups);
    const weights = engine.upload(uniformTensor(random, [8, 8 / groups, 3, 3]));
    const bias = engine.upload(uniformTensor(random, [8]));
    return engine.run(conv2d, { input, weights, bias }, { ...around, groups });
  }

  /** The image with eight channels. */
  function eight(engine: RecordingEngine): RecordedValue {
    const weights = engine.upload(uniformTensor(numpyRandom(12), [8, 3, 1, 1]));
    const bias = engine.upload(uniformTensor(numpyRandom(13), [8]));
    const point = { ...around, pads: [0, 0, 0, 0] } as const;
    return engine.run(conv2d, { input: engine.value(image.shape), weights, bias }, point);
  }

  test('what mobile and dense networks are made of leaves the layout nowhere', async () => {
    const engine = recordingEngine();
    const row = (seed: number, ...shape: number[]) => engine.upload(uniformTensor(numpyRandom(seed), shape));
    const start = eight(engine);
    const depthwise = engine.run(rectify, { input: grouped(engine, start, 8) }, { floor: 0, ceiling: 6, slope: 0 });
    const line = sum(engine, engine.run(multiply, { left: depthwise, right: row(1, 1) }, undefined), row(2, 1));
    const gated = engine.run(
      multiply,
      { left: depthwise, right: engine.run(sigmoid, { input: line }, undefined) },
      undefined,
    );
    const means = engine.run(channelMeans, { input: gated }, undefined);
    const squeezed = engine.run(reshape, { input: means }, { shape: [2, 8, 1, 1] });
    const excited = engine.run(sigmoid, { input: grouped(engine, squeezed, 1) }, undefined);
    const scaled = engine.run(multiply, { left: gated, right: excited }, undefined);
    const joined = engine.run(concatAxis, { left: scaled, right: start }, { axis: 1 });
    const normalised = sum(
      engine,
      engine.run(multiply, { left: joined, right: row(3, 16, 1, 1) }, undefined),
      row(4, 1, 16, 1, 1),
    );
    const output = engine.run(averagePool, { input: normalised }, { ...pooling, countIncludePad: false });
    const laidOut = channelsLast(engine.steps, [output], layout);
    const needed = namesOf(programOf(laidOut.steps, laidOut.outputs).steps);
    expect(needed.filter((name) => name === 'packLast' || name === 'unpackLast')).toEqual(['packLast', 'unpackLast']);
    expect(needed).toEqual(
      expect.arrayContaining(['depthwiseLast', 'channelMeansLast', 'averagePoolLast', 'concatAxis']),
    );
    await expectSame(engine.steps, [output], laidOut);
  });

  test.each(['f32', 'f16'] as const)(
    'convolutions in groups of whole quads are laid out as well, in %s',
    async (precision) => {
      const engine = recordingEngine();
      const output = relu(engine, grouped(engine, grouped(engine, eight(engine), 2), 1));
      const laidOut = channelsLast(engine.steps, [output], { ...layout, precision });
      const names = namesOf(programOf(laidOut.steps, laidOut.outputs).steps);
      expect(names.filter((name) => name.startsWith('unpack'))).toHaveLength(1);
      expect(names).toContain(precision === 'f32' ? 'groupedLast' : 'groupedHalf');
      const [expected] = await run(engine.steps, [output]);
      const [actual] = await run(laidOut.steps, laidOut.outputs);
      expect(normalisedError(actual.data, expected.data)).toBeLessThan(precision === 'f32' ? 1e-10 : 1e-5);
    },
  );

  test('the way back through convolutions of single channels is laid out as well', async () => {
    const engine = recordingEngine();
    const weights = engine.upload(uniformTensor(numpyRandom(8), [3, 1, 3, 3]));
    const options = { ...around, groups: 3, strides: [2, 2], outputSize: [12, 10] } as const;
    const output = engine.run(conv2dTranspose, { input: engine.value(image.shape), weights }, options);
    const laidOut = channelsLast(engine.steps, [output], layout);
    expect(namesOf(laidOut.steps)).toContain('depthwiseLast');
    await expectSame(engine.steps, [output], laidOut);
  });

  test('convolutions in other groups, operands of other channels and joins inside a quad stay as they are', async () => {
    const engine = recordingEngine();
    const halves = grouped(engine, eight(engine), 4);
    const gate = engine.run(sigmoid, { input: engine.upload(uniformTensor(numpyRandom(9), [2, 1, 6, 5])) }, undefined);
    const gated = engine.run(multiply, { left: grouped(engine, halves, 1), right: gate }, undefined);
    const three = convolve(engine, gated);
    const output = engine.run(concatAxis, { left: three, right: gated }, { axis: 1 });
    const laidOut = channelsLast(engine.steps, [output], layout);
    expect(namesOf(laidOut.steps)).toEqual(expect.arrayContaining(['conv2d', 'multiply', 'concatAxis', 'unpackLast']));
    await expectSame(engine.steps, [output], laidOut);
  });
});

test.each(['f32', 'f16'] as const)(
  'masked images are made where a convolution reads them, in %s',
  async (precision) => {
    const engine = recordingEngine();
    const picture = engine.upload(uniformTensor(numpyRandom(3), [1, 3, 6, 5]));
    const activations = engine.upload(uniformTensor(numpyRandom(4), [2, 3, 2]));
    const options = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
    const output = convolve(engine, engine.run(maskImages, { image: picture, activations }, options));
    const laidOut = channelsLast(engine.steps, [output], { convolution: () => conv2dLast, precision });
    const { steps } = programOf(laidOut.steps, laidOut.outputs);
    const [masks, convolution] =
      precision === 'f32' ? ['maskImagesLast', 'conv2dLast'] : ['maskImagesHalf', 'conv2dHalf'];
    expect(steps.find(({ kernel }) => kernel.name === convolution)?.inputs.input).toBe(
      steps.find(({ kernel }) => kernel.name === masks)?.output,
    );
    const [expected] = await run(engine.steps, [output]);
    const [actual] = await run(laidOut.steps, laidOut.outputs);
    expect(normalisedError(actual.data, expected.data)).toBeLessThan(precision === 'f32' ? 1e-10 : 1e-5);
  },
);

describe('shareSteps', () => {
  test('makes one of equal runs, and of runs on what has become equal', async () => {
    const engine = recordingEngine();
    const input = engine.value(image.shape);
    const join = (...parts: RecordedValue[]) =>
      parts.reduce((left, right) => engine.run(concatAxis, { left, right }, { axis: 1 }));
    const first = relu(engine, input);
    const outputs = [join(input, first, input), join(input, relu(engine, input), input, first)];
    const shared = shareSteps(engine.steps, outputs);
    expect(namesOf(shared.steps)).toEqual(['positivePart', 'concatAxis', 'concatAxis', 'concatAxis']);
    await expectSame(engine.steps, outputs, shared);
  });

  test('keeps runs apart whose options, inputs or order of inputs differ', () => {
    const engine = recordingEngine();
    const [left, right] = [engine.value(image.shape), engine.value(image.shape)];
    engine.run(concatAxis, { left, right }, { axis: 1 });
    engine.run(concatAxis, { left, right }, { axis: 2 });
    engine.run(concatAxis, { left: right, right: left }, { axis: 1 });
    for (const ceiling of [6, Number.POSITIVE_INFINITY]) {
      engine.run(rectify, { input: left }, { floor: 0, ceiling, slope: 0 });
      engine.run(rectify, { input: left }, { floor: Number.NEGATIVE_INFINITY, ceiling, slope: 0 });
    }
    expect(shareSteps(engine.steps, []).steps).toHaveLength(7);
  });
});

test('constantValues are constants and what is made of nothing else', () => {
  const engine = recordingEngine();
  const input = engine.value([2, 3]);
  const constant = engine.upload(uniformTensor(numpyRandom(1), [2, 3]));
  const made = relu(engine, constant);
  const mixed = sum(engine, made, input);
  const known = constantValues(engine.steps);
  expect([constant, made, mixed, input].map((value) => known.has(value))).toEqual([true, true, false, false]);
});

describe('a program', () => {
  /** An engine of plain loops that knows what it holds, and fails at a run if asked to. */
  function counting(failAt = Number.POSITIVE_INFINITY) {
    const inner = referenceEngine();
    const held = new Set<Resident>();
    let most = 0;
    let runs = 0;
    const engine: Engine = {
      ...inner,
      run(kernel, inputs, options) {
        if (runs++ === failAt) throw new Error('no more');
        for (const name of kernel.inputs) {
          if (freed.has(inputs[name])) throw new Error(`${kernel.name} reads what was freed`);
        }
        const made = inner.run(kernel, inputs, options);
        held.add(made);
        most = Math.max(most, held.size);
        return made;
      },
      release(...residents) {
        for (const resident of residents) {
          held.delete(resident);
          freed.add(resident);
        }
      },
    };
    const freed = new Set<Resident>();
    return { engine, held, freed, most: () => most };
  }

  function chain(length: number) {
    const recording = recordingEngine();
    const input = recording.value([2, 3]);
    let value: RecordedValue = input;
    for (let index = 0; index < length; index++) value = relu(recording, value);
    return { steps: recording.steps, input, output: value };
  }

  test('holds no more than is alive at once, and its outputs to the end', () => {
    const { steps, input, output } = chain(6);
    const { engine, held, freed, most } = counting();
    const given = engine.upload(uniformTensor(numpyRandom(1), [2, 3]));
    const [result] = programOf(steps, [output]).run(engine, new Map([[input, given]]));
    expect(most()).toBe(2);
    expect([...held]).toEqual([result]);
    expect(freed.has(given)).toBe(false); // what it was given is not its own
  });

  test('leaves out steps that no output needs, and names what it needs', () => {
    const recording = recordingEngine();
    const [input, other] = [recording.value([2, 3]), recording.value([2, 3])];
    const constant = recording.upload(uniformTensor(numpyRandom(1), [2, 3]));
    const output = sum(recording, input, constant);
    sum(recording, input, other);
    const program = programOf(recording.steps, [output]);
    expect(program.steps).toHaveLength(1);
    expect(new Set(program.needs)).toEqual(new Set([input, constant]));
    expect(() => program.run(referenceEngine(), new Map())).toThrow('without a value of shape [2, 3]');
  });

  test('frees what it made when a run fails', () => {
    const { steps, input, output } = chain(5);
    const { engine, held } = counting(3);
    const given = engine.upload(uniformTensor(numpyRandom(1), [2, 3]));
    expect(() => programOf(steps, [output]).run(engine, new Map([[input, given]]))).toThrow('no more');
    expect(held.size).toBe(0);
  });
});
