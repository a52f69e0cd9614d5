export { averagePoolLast } from './channels-last/average-pool-last.ts';
export { channelMeansLast } from './channels-last/channel-means-last.ts';
export { conv2dLast, conv2dLastWith } from './channels-last/conv2d-last.ts';
export { conv2dLastDirect } from './channels-last/conv2d-last-direct.ts';
export type { Conv2dLast, Conv2dLastInput, Conv2dLastOptions } from './channels-last/conv2d-last-plan.ts';
export { conv2dWinograd } from './channels-last/conv2d-winograd.ts';
export { depthwiseLast } from './channels-last/depthwise-last.ts';
export { type GroupedOptions, groupedLast } from './channels-last/grouped-last.ts';
export { lastShape, paddedChannels } from './channels-last/layout.ts';
export { maskImagesLast } from './channels-last/mask-images-last.ts';
export { maxPoolLast } from './channels-last/max-pool-last.ts';
export { packDepthwise } from './channels-last/pack-depthwise.ts';
export { type PackFiltersOptions, packFilters } from './channels-last/pack-filters.ts';
export { packFiltersWinograd } from './channels-last/pack-filters-winograd.ts';
export { packLast } from './channels-last/pack-last.ts';
export { type TileName, tilings } from './channels-last/tile-program.ts';
export { type UnpackLastOptions, unpackLast } from './channels-last/unpack-last.ts';
export { convolutionPrograms, halfConvolutionPrograms, type ProgramHost, tilesFor } from './convolution-programs.ts';
export { type DeviceOptions, type OpenedDevice, openDevice } from './device.ts';
export type { Engine, Resident } from './engine.ts';
export {
  type Attempt,
  DeviceError,
  DeviceLostError,
  KernelError,
  type KernelErrorKind,
  ShapeError,
} from './errors.ts';
export type { Timing } from './gpu/stopwatch.ts';
export { addHalf } from './halves/add-half.ts';
export { averagePoolHalf } from './halves/average-pool-half.ts';
export { channelMeansHalf } from './halves/channel-means-half.ts';
export { conv2dHalf, conv2dHalfWith } from './halves/conv2d-half.ts';
export type { Conv2dHalf } from './halves/conv2d-half-plan.ts';
export {
  type MatrixConvolution,
  type MatrixHost,
  matrixConvolutions,
  pairedConvolutions,
  type SubgroupMatrix,
} from './halves/conv2d-matrix.ts';
export { depthwiseHalf } from './halves/depthwise-half.ts';
export { groupedHalf } from './halves/grouped-half.ts';
export { doubledShape, fromHalves, toHalves } from './halves/half.ts';
export { halfError } from './halves/half-error.ts';
export { maskImagesHalf } from './halves/mask-images-half.ts';
export type { MatrixTile, MatrixUnit } from './halves/matrix-units.ts';
export { maxPoolHalf } from './halves/max-pool-half.ts';
export { multiplyHalf } from './halves/multiply-half.ts';
export { packFilterPairsEvenHalf, packFilterPairsOddHalf } from './halves/pack-filter-pairs-half.ts';
export { packFilterRowsHalf } from './halves/pack-filter-rows-half.ts';
export { packFiltersHalf } from './halves/pack-filters-half.ts';
export { packHalf } from './halves/pack-half.ts';
export { rectifyHalf } from './halves/rectify-half.ts';
export { sigmoidHalf } from './halves/sigmoid-half.ts';
export { unpackHalf } from './halves/unpack-half.ts';
export type { AnyKernel, Call, Kernel, Named, Plan, Variant } from './kernel.ts';
export { add } from './kernels/add.ts';
export { averagePool } from './kernels/average-pool.ts';
export { type AveragePoolBackwardOptions, averagePoolBackward } from './kernels/average-pool-backward.ts';
export type { AveragePoolOptions } from './kernels/averaging.ts';
export { interpolationMatrix, type ResizeConvention } from './kernels/bilinear.ts';
export { channelMeans } from './kernels/channel-means.ts';
export { type ConcatAxisOptions, concatAxis } from './kernels/concat-axis.ts';
export { type Conv2dOptions, conv2d } from './kernels/conv2d.ts';
export { conv2dFused } from './kernels/conv2d-fused.ts';
export { type ConvTransposeOptions, conv2dTranspose } from './kernels/conv2d-transpose.ts';
export { divide } from './kernels/divide.ts';
export { fillRegions } from './kernels/fill-regions.ts';
export { guardedDivide } from './kernels/guarded-divide.ts';
export { keepNonZero } from './kernels/keep-non-zero.ts';
export { type MaskOptions, maskImages } from './kernels/mask-images.ts';
export { type MatmulOptions, matmul } from './kernels/matmul.ts';
export { maxPool } from './kernels/max-pool.ts';
export { maxPoolBackward } from './kernels/max-pool-backward.ts';
export { type MinMaxOptions, minMax } from './kernels/min-max.ts';
export { multiply } from './kernels/multiply.ts';
export { negativePart } from './kernels/negative-part.ts';
export { type PadAxisOptions, padAxis } from './kernels/pad-axis.ts';
export { positivePart } from './kernels/positive-part.ts';
export { type RectifierOptions, rectifierGradient } from './kernels/rectifier-gradient.ts';
export { rectify } from './kernels/rectify.ts';
export { type KernelName, kernels } from './kernels/registry.ts';
export { replacePixels } from './kernels/replace-pixels.ts';
export { type ReshapeOptions, reshape } from './kernels/reshape.ts';
export { sigmoid } from './kernels/sigmoid.ts';
export { type SliceAxisOptions, sliceAxis } from './kernels/slice-axis.ts';
export { softmax } from './kernels/softmax.ts';
export { type StabilisedDivideOptions, stabilisedDivide } from './kernels/stabilised-divide.ts';
export { subtract } from './kernels/subtract.ts';
export { type SumAxesOptions, sumAxes } from './kernels/sum-axes.ts';
export { translate } from './kernels/translate.ts';
export { type TransposeOptions, transpose } from './kernels/transpose.ts';
export { type UpsampleOptions, upsampleBilinear } from './kernels/upsample-bilinear.ts';
export { weightedSum } from './kernels/weighted-sum.ts';
export type { ConvOptions, Pair, PoolOptions, WindowOptions } from './kernels/window.ts';
export { mapNamed } from './named.ts';
export { nextTurn } from './next-turn.ts';
export { type OnnxEngine, onnxEngine } from './onnx-engine.ts';
export { type OnnxAttribute, type OnnxConstant, type OnnxNode, OnnxTrace } from './onnx-trace.ts';
export { type Predict, type VariantBatch, type VariantPredictor, variantPredictor } from './predict.ts';
export { numpyRandom, type Random, uniformTensor } from './random.ts';
export {
  type ChannelsLastOptions,
  channelsLast,
  type LaidOut,
} from './recording/channels-last.ts';
export { constantValues } from './recording/constant-values.ts';
export type { ConvolutionShape } from './recording/convolution-shape.ts';
export { fuseConvolutions } from './recording/fuse-convolutions.ts';
export { type Program, programOf } from './recording/program.ts';
export {
  type RecordedStep,
  type RecordedValue,
  type RecordingEngine,
  recordingEngine,
} from './recording/recording-engine.ts';
export { shareSteps } from './recording/share-steps.ts';
export { compute, referenceEngine } from './reference-engine.ts';
export { type Sweep, sweep } from './sweep.ts';
export { filled, rows, type Shape, sizeOf, stack, type Tensor, tensor, zeros } from './tensor.ts';
export { runModule } from './wasm.ts';
export { type MemoryUse, type WebgpuEngine, type WebgpuEngineOptions, webgpuEngine } from './webgpu-engine.ts';
