import { numpyRandom, rows, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import {
  type AnyCamMethod,
  listLayers,
  ModelError,
  methods,
  NameError,
  ortClassifier,
  probeImage,
  readModel,
  requireWalk,
  resolveLayer,
  rules,
} from '../src/index.ts';
import { ModelBuilder } from './support/build-model.ts';
import { largestDifference } from './support/compare.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { pytorchNetworks } from './support/pytorch-networks.ts';
import { caseR, plainNet } from './support/tiny-nets.ts';

const images = uniformTensor(numpyRandom(3), [5, 3, 6, 6]);

describe('ortClassifier', () => {
  test('answers for a batch what it answers one by one', async () => {
    await using classifier = ortClassifier(plainNet(), { maxBatch: 2 });
    const whole = await classifier.values(images, ['early', 'late']);
    const starts = tensor(Array.from({ length: 5 }, (_, image) => [...rules.zPlus.start(4, image % 4)]).flat(), [5, 4]);
    const walked = await classifier.backward(images, 'early', 'zPlus', starts);
    for (let image = 0; image < 5; image++) {
      const one = rows(images, image, image + 1);
      const alone = await classifier.values(one, ['early', 'late']);
      expect(largestDifference(rows(whole.logits, image, image + 1).data, alone.logits.data)).toBeLessThan(1e-5);
      expect(largestDifference(rows(whole.layers.late, image, image + 1).data, alone.layers.late.data)).toBeLessThan(
        1e-5,
      );
      const single = await classifier.backward(one, 'early', 'zPlus', rows(starts, image, image + 1));
      expect(largestDifference(rows(walked.arrived, image, image + 1).data, single.arrived.data)).toBeLessThan(1e-5);
    }
  });

  test('a graph fixed to one batch size answers for any', async () => {
    const graph = { ...plainNet(), input: { ...plainNet().input, batch: 2 } };
    await using fixed = ortClassifier(graph);
    await using open = ortClassifier(plainNet());
    expect(largestDifference((await fixed.predict(images)).data, (await open.predict(images)).data)).toBeLessThan(1e-6);
  });

  test('keeps its answers apart when they are asked for at once', async () => {
    await using classifier = ortClassifier(plainNet());
    const asked = Array.from({ length: 5 }, (_, image) => classifier.predict(rows(images, image, image + 1)));
    const expected = await classifier.predict(images);
    const together = (await Promise.all(asked)).flatMap(({ data }) => [...data]);
    expect(largestDifference(together, expected.data)).toBeLessThan(1e-5);
  });

  test('refuses images of another size, naming the one it takes', async () => {
    await using classifier = ortClassifier(plainNet());
    await expect(classifier.predict(uniformTensor(numpyRandom(1), [1, 3, 7, 6]))).rejects.toThrow('images of 3×6×6');
    await expect(classifier.predict(uniformTensor(numpyRandom(1), [3, 6, 6]))).rejects.toThrow('images of 3×6×6');
  });

  test('never returns NaN: an image that is not finite is an error that says so', async () => {
    await using classifier = ortClassifier(plainNet());
    const broken = tensor(Float32Array.from(rows(images, 0, 1).data).fill(Number.NaN), [1, 3, 6, 6]);
    await expect(classifier.predict(broken)).rejects.toThrow(ModelError);
  });

  test('a closed classifier says that it is closed', async () => {
    const classifier = ortClassifier(plainNet());
    await classifier.predict(images);
    await classifier.close();
    await expect(classifier.predict(images)).rejects.toThrow('The classifier is closed');
  });

  test('a provider that is not there is an error that names it', async () => {
    await using classifier = ortClassifier(plainNet(), { provider: 'coreml' });
    await expect(classifier.predict(images)).rejects.toThrow(/coreml/);
  });
});

describe('layers', () => {
  test('of a ResNet have the family’s short names, at the end of each stage', async () => {
    const graph = await embeddedModel();
    expect(
      listLayers(graph)
        .slice(0, 4)
        .map(({ name, value, shape }) => [name, value, shape?.join('×')]),
    ).toEqual([
      ['layer1', 'layer1.2', '256×56×56'],
      ['layer2', 'layer2.3', '512×28×28'],
      ['layer3', 'layer3.5', '1024×14×14'],
      ['layer4', 'layer4.2', '2048×7×7'],
    ]);
  });

  test('can be any value of the graph that the logits are computed from', async () => {
    const graph = await embeddedModel();
    expect(resolveLayer(graph, 'layer4')).toBe('layer4.2');
    expect(resolveLayer(graph, 'layer3.0')).toBe('layer3.0');
  });

  test('that do not exist are errors with the nearest names; values without space say what they are', async () => {
    const graph = await embeddedModel();
    expect(() => resolveLayer(graph, 'layr4')).toThrow(NameError);
    expect(() => resolveLayer(graph, 'layr4')).toThrow(/layer4/);
    expect(() => resolveLayer(graph, graph.logits)).toThrow(/batch×channels×height×width/);
  });

  test('every layer of the family can be explained, the first as well', async () => {
    await using classifier = ortClassifier(caseR());
    const shown = await probeImage(classifier, uniformTensor(numpyRandom(1), [1, 4, 4, 4], 0, 1));
    for (const layer of ['x', 'y']) expect((await shown.at(layer, 0)).activations.shape).toHaveLength(3);
  });
});

describe('a network with an operation that has no rule', () => {
  const network = pytorchNetworks.find(({ title }) => title.includes('patch tokens'))!;

  test('is explained by score-cam, which needs no walk, and at layers behind the operation', async () => {
    const { explain, methods } = await import('../src/index.ts');
    const graph = readModel(network.bytes, { size: [8, 8] });
    await using classifier = ortClassifier(graph);
    const [{ name }] = listLayers(graph);
    const shown = await probeImage(classifier, uniformTensor(numpyRandom(2), [1, 3, 8, 8]));
    const probe = await shown.at(name, 0);
    await expect(explain(probe, methods['grad-cam'])).rejects.toThrow(/has no rule in "gradient"/);
    expect((await explain(probe, methods['score-cam'])).map.shape).toEqual([8, 8]);
  });
});

describe('requireWalk', () => {
  test('refuses before anything is computed what a walk could not cross, and lets the others pass', () => {
    const network = pytorchNetworks.find(({ title }) => title.includes('patch tokens'))!;
    const graph = readModel(network.bytes, { size: [8, 8] });
    expect(() => requireWalk(graph, listLayers(graph)[0].value, 'gradient')).toThrow(/has no rule in "gradient"/);
    for (const rule of ['gradient', 'zPlus', 'epsilon', 'alphaBeta', 'epsilonPlus'] as const)
      requireWalk(caseR(), 'x', rule);
  });

  test('covers the rules that every method says it walks under', () => {
    const named = Object.values(methods as { [name: string]: AnyCamMethod }).map((method) => [
      method.name,
      method.rules(method.defaults),
    ]);
    expect(Object.fromEntries(named)).toEqual({
      'grad-cam': ['gradient'],
      'grad-cam++': ['gradient'],
      'score-cam': [],
      'relevance-cam': ['zPlus'],
      'random-cam': [],
    });
  });
});

describe('the walk', () => {
  test('adds what comes back where a value feeds several nodes', async () => {
    // logits = 2·mean(r) + 3·mean(r) of one channel: the gradient at r is 5 over the area
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 1, 2, 2] } });
    net.node('Relu', [net.input], {}, { outputs: ['r'] });
    const scaled = [2, 3].map((factor) => net.node('Mul', ['r', net.floats([factor], [1, 1, 1, 1])]));
    const means = net.node('GlobalAveragePool', [net.node('Add', scaled)]);
    net.output(net.node('Concat', [net.node('Flatten', [means]), net.node('Flatten', [means])], { axis: 1 }), [
      'batch',
      2,
    ]);
    await using classifier = ortClassifier(readModel(net.bytes()));
    const image: Tensor = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
    const { arrived } = await classifier.backward(image, 'r', 'gradient', tensor([1, 0], [1, 2]));
    expect([...arrived.data]).toEqual([1.25, 1.25, 1.25, 1.25]);
  });

  test('is refused for a layer whose value the rule merges away, with what to do', async () => {
    await using classifier = ortClassifier(caseR());
    const convolution = classifier.graph.nodes.find(({ op }) => op === 'Conv')!.outputs[0];
    const start = tensor(rules.epsilon.start(3, 0), [1, 3]);
    const image = uniformTensor(numpyRandom(1), [1, 4, 4, 4], 0, 1);
    await expect(classifier.backward(image, convolution, 'epsilon', start)).rejects.toThrow(/merge/);
  });
});
