import {
  argShape,
  concatShape,
  depthToSpaceShape,
  gatherShape,
  padShape,
  reduceShape,
  sliceShape,
  spaceToDepthShape,
  splitShape,
  squeezeShape,
  tileShape,
  transposeShape,
  unsqueezeShape,
} from './axes.ts';
import { resizeShape } from './resize.ts';
import { fromFirst, type ShapeRule } from './rule.ts';
import {
  broadcastShape,
  constantOfShape,
  expandShape,
  flattenShape,
  gemmShape,
  matMulShape,
  reshapeShape,
} from './view.ts';
import { convShape, convTransposeShape, globalPoolShape, poolShape } from './window.ts';

const same = fromFirst((shape) => shape);
const twice: ShapeRule = ({ inputs }) => [inputs[0]?.shape, inputs[0]?.shape];
const rank = fromFirst((shape) => [shape.length]);
const number: ShapeRule = () => [[]];

const unary =
  'Abs Acos Asin Atan BatchNormalization Cast CastLike Ceil Celu Clip Cos CumSum DequantizeLinear Elu Erf Exp Floor Gelu ' +
  'GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization ' +
  'LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish Neg Not PRelu QuantizeLinear Reciprocal Relu ' +
  'Round Selu Shrink Sigmoid Sign Sin Softmax Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Trilu';
const broadcasting =
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow Sub Sum Where Xor';
const reducing =
  'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare';

/** How the shapes of a node's outputs follow from its inputs, by operator of ONNX's own domain. */
export const shapeRules: ReadonlyMap<string, ShapeRule> = new Map<string, ShapeRule>([
  ...unary.split(' ').map((op) => [op, same] as const),
  ...broadcasting.split(' ').map((op) => [op, broadcastShape] as const),
  ...reducing.split(' ').map((op) => [op, reduceShape] as const),
  ['ArgMax', argShape],
  ['ArgMin', argShape],
  ['AveragePool', poolShape],
  ['Concat', concatShape],
  ['ConstantOfShape', constantOfShape],
  ['Conv', convShape],
  ['ConvTranspose', convTransposeShape],
  ['DepthToSpace', depthToSpaceShape],
  ['Dropout', twice],
  ['Expand', expandShape],
  ['Flatten', flattenShape],
  ['Gather', gatherShape],
  ['Gemm', gemmShape],
  ['GlobalAveragePool', globalPoolShape],
  ['GlobalLpPool', globalPoolShape],
  ['GlobalMaxPool', globalPoolShape],
  ['LpPool', poolShape],
  ['MatMul', matMulShape],
  ['MaxPool', poolShape],
  ['Pad', padShape],
  ['Reshape', reshapeShape],
  ['Resize', resizeShape],
  ['Shape', rank],
  ['Size', number],
  ['Slice', sliceShape],
  ['SpaceToDepth', spaceToDepthShape],
  ['Split', splitShape],
  ['Squeeze', squeezeShape],
  ['Tile', tileShape],
  ['Transpose', transposeShape],
  ['Unsqueeze', unsqueezeShape],
  ['Upsample', resizeShape],
]);
