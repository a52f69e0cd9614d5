import type { AnyKernel } from '../kernel.ts';
import { add } from '../kernels/add.ts';
import { divide } from '../kernels/divide.ts';
import { guardedDivide } from '../kernels/guarded-divide.ts';
import { keepNonZero } from '../kernels/keep-non-zero.ts';
import { multiply } from '../kernels/multiply.ts';
import { negativePart } from '../kernels/negative-part.ts';
import { positivePart } from '../kernels/positive-part.ts';
import { rectifierGradient } from '../kernels/rectifier-gradient.ts';
import { rectify } from '../kernels/rectify.ts';
import { sigmoid } from '../kernels/sigmoid.ts';
import { stabilisedDivide } from '../kernels/stabilised-divide.ts';
import { subtract } from '../kernels/subtract.ts';

/** Kernels that look at one place at a time, so that any layout will do if all operands have it. */
export const elementWise: ReadonlySet<AnyKernel> = new Set<AnyKernel>([
  add,
  divide,
  guardedDivide,
  keepNonZero,
  multiply,
  negativePart,
  positivePart,
  rectifierGradient,
  rectify,
  sigmoid,
  stabilisedDivide,
  subtract,
]);
