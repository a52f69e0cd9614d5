export type { BackwardOp, Rule, Step } from './backward/rule.ts';
export { type RuleName, rules } from './backward/rules/index.ts';
export { walk } from './backward/walk.ts';
export { type BatchOptions, chooseBatch } from './classifiers/choose-batch.ts';
export { requireWalk } from './classifiers/derived-models.ts';
export { type HybridOptions, hybridClassifier } from './classifiers/hybrid.ts';
export { calibrate, int8Classifier } from './classifiers/int8.ts';
export { type OrtOptions, ortClassifier } from './classifiers/ort.ts';
export { availableProviders, type Provider, providers } from './classifiers/ort-session.ts';
export { type WebgpuClassifier, type WebgpuOptions, webgpuClassifier } from './classifiers/webgpu.ts';
export { ModelError, NameError, nearest } from './errors.ts';
export { explain } from './explain.ts';
export type { ModelFamily } from './families/family.ts';
export { families, recogniseFamily } from './families/index.ts';
export { finishMap } from './finish-map.ts';
export { type Layer, listLayers, resolveLayer } from './layers.ts';
export type { GradCamPlusPlusOptions } from './methods/grad-cam-plus-plus.ts';
export { type AnyCamMethod, type MethodName, methods } from './methods/index.ts';
export type { RelevanceCamOptions } from './methods/relevance-cam.ts';
export { type ScoreCamOptions, scoreCamVariants } from './methods/score-cam.ts';
export type { Constant, Graph, GraphAttribute, GraphInput, GraphNode } from './onnx/graph.ts';
export { loadModel } from './onnx/load.ts';
export { quantise, quantisedValues, type Ranges } from './onnx/quantise.ts';
export { readModel } from './onnx/read.ts';
export { writeModel } from './onnx/write.ts';
export { imageNet, type Normalisation, normalisePixels } from './preprocess.ts';
export { type ImageProbe, type ProbeOptions, probeImage } from './probe.ts';
export { argmax, softmax } from './softmax.ts';
export {
  programsFor,
  type TimedConvolution,
  type TriedProgram,
  type TuneOptions,
  tune,
  tuningOf,
} from './tuning/tune.ts';
export { mergeTunings, type TunedConvolution, type Tuning } from './tuning/tuning.ts';
export type {
  BackwardResult,
  CamMethod,
  Classifier,
  Explanation,
  ForwardResult,
  MapFinish,
  MaskConvention,
  Precision,
  Probe,
} from './types.ts';
