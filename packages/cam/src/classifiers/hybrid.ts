import {
  mapNamed,
  type OpenedDevice,
  programOf,
  type RecordedValue,
  type RecordingEngine,
  recordingEngine,
  rows,
  type Shape,
  stack,
  type Tensor,
  tensor,
  type VariantBatch,
  type WebgpuEngine,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { type RuleName, rules } from '../backward/rules/index.ts';
import { walk } from '../backward/walk.ts';
import { mergeBatchNorm } from '../onnx/fold-batch-norm.ts';
import type { Graph } from '../onnx/graph.ts';
import type { BackwardResult, Classifier } from '../types.ts';
import { requireFinite } from './checks.ts';
import { convolutionFor } from './convolution-for.ts';
import { requireWalk, shapeOf } from './derived-models.ts';
import { type GpuQuestions, gpuQuestions } from './gpu-questions.ts';
import { gpuWeights } from './gpu-weights.ts';

export interface HybridOptions {
  /** Variants that are made at once; longer batches are cut. 32 by default, as ONNX Runtime takes them. */
  readonly maxBatch?: number;
}

/**
 * Divides the work: another classifier (ONNX Runtime) does every forward pass, the GPU makes the variants of sweeps and walks
 * back under the rules. Images and values cross between the two.
 *
 * Two batches of a sweep are under way at once, so that the GPU makes and downloads one while the other is classified: each through
 * a buffer that the driver maps into the host's memory, the two in turn, and used again for the batches that follow. What the crossing
 * costs is what `webgpuClassifier` saves.
 *
 * Closing it closes the other classifier as well; whoever opened the device closes that afterwards.
 */
export function hybridClassifier(forward: Classifier, opened: OpenedDevice, options: HybridOptions = {}): Classifier {
  const { maxBatch = 32 } = options;
  const engine = webgpuEngine(opened.device);
  const merged = mergeBatchNorm(forward.graph);
  const weights = gpuWeights(engine, [forward.graph, merged]);
  const questions = gpuQuestions(engine, weights, { ...convolutionFor(opened), limit: 16 });
  const walks = new Map<string, readonly string[]>();
  const close = async () => {
    engine.dispose();
    await forward.close();
  };
  return {
    ...forward,
    device: `${forward.device}, kernels on ${opened.adapter.description || opened.adapter.device || 'the gpu'}`,
    atOnce: 2,
    async backward(batch, layer, rule, start) {
      requireFinite('Start', start);
      requireWalk(forward.graph, layer, rule);
      const network = rules[rule].mergeBatchNorm ? merged : forward.graph;
      const request = { network, layer, rule, batch, start };
      const key = `${rule} ${layer}`;
      const needed = walks.get(key) ?? valuesOfWalk(request);
      walks.set(key, needed);
      return walkBack(forward, questions, { ...request, needed });
    },
    predictVariants: (variants) => predictMade(forward, engine, variants, maxBatch),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface WalkBack {
  readonly network: Graph;
  readonly layer: string;
  readonly rule: RuleName;
  readonly batch: Tensor;
  readonly start: Tensor;
}

async function walkBack(
  forward: Classifier,
  { ask }: GpuQuestions,
  request: WalkBack & { readonly needed: readonly string[] },
): Promise<BackwardResult> {
  const { network, layer, rule, batch, start, needed } = request;
  const { logits, layers } = await forward.values(batch, [...new Set([layer, ...needed])]);
  const values = { ...layers, [network.logits]: logits, [network.input.name]: batch };
  const [arrived] = await ask(
    {
      key: `${batch.shape[0]} × ${rule} ${layer}`,
      record(engine) {
        const { given, from, arrived: result } = recordWalk(engine, request);
        return { inputs: [from, ...needed.map((name) => given(name))], outputs: [result] };
      },
    },
    [start, ...needed.map((name) => values[name])],
  );
  return { logits, activations: values[layer], arrived };
}

/** Which values of the forward pass a walk reads, beyond their shapes. */
function valuesOfWalk(request: WalkBack): readonly string[] {
  const engine = recordingEngine();
  const { names, arrived } = recordWalk(engine, request);
  const { needs } = programOf(engine.steps, [arrived]);
  return needs.flatMap((value) => names.get(value) ?? []);
}

/** Records a walk in which every value of the forward pass is given. */
function recordWalk(engine: RecordingEngine, { network, layer, rule, batch, start }: WalkBack) {
  const values = new Map<string, RecordedValue>();
  const names = new Map<RecordedValue, string>();
  const given = (name: string): RecordedValue => {
    const known = values.get(name);
    if (known) return known;
    const constant = network.constants.get(name);
    const made =
      constant?.type === 'float32'
        ? engine.upload(tensor(constant.data, constant.shape))
        : engine.value(withBatch(shapeOf(network, name), batch.shape[0]));
    values.set(name, made);
    if (!made.constant) names.set(made, name);
    return made;
  };
  const from = engine.value(start.shape);
  const arrived: RecordedValue = walk({
    graph: network,
    engine,
    forward: given,
    layer,
    rule: rules[rule],
    start: from,
  });
  return { names, given, from, arrived };
}

function withBatch(shape: Shape, batch: number): Shape {
  return [batch, ...shape.slice(1)];
}

async function predictMade<In extends string, U extends string, O>(
  forward: Classifier,
  engine: WebgpuEngine,
  { kernel, inputs, rows: varying, options }: VariantBatch<In, U, O>,
  maxBatch: number,
): Promise<Tensor> {
  const count = inputs[varying].shape[0];
  const parts: Tensor[] = [];
  for (let from = 0; from < count; from += maxBatch) {
    const part = (name: In) =>
      name === varying ? rows(inputs[name], from, Math.min(from + maxBatch, count)) : inputs[name];
    const variants = engine.scope(() =>
      engine.run(
        kernel,
        mapNamed(kernel.inputs, (name) => engine.upload(part(name))),
        options,
      ),
    );
    const batch = await engine.download(variants).finally(() => engine.release(variants));
    parts.push(await forward.predict(batch));
  }
  return stack(parts);
}
