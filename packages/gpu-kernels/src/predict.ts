import type { Engine } from './engine.ts';
import type { Kernel, Named } from './kernel.ts';
import { mapNamed } from './named.ts';
import type { Tensor } from './tensor.ts';

/** A classifier as a function: N×C×H×W → N×K logits. */
export type Predict = (batch: Tensor) => Promise<Tensor>;

/** One batch of variants, described by the kernel that makes them. */
export interface VariantBatch<In extends string, U extends string, O> {
  readonly kernel: Kernel<In, U, O>;
  /** All inputs of the kernel; the one named `rows` has one entry for each variant along axis 0. */
  readonly inputs: Named<In, Tensor>;
  readonly rows: In;
  readonly options: O;
}

/** Whatever turns a description of variants into their logits, N×K. */
export interface VariantPredictor {
  /** Batches worth having under way at once, so that a device need not wait for the host between two; 1 unless said. */
  readonly atOnce?: number;
  predictVariants<In extends string, U extends string, O>(batch: VariantBatch<In, U, O>): Promise<Tensor>;
}

/**
 * Makes the variants on an engine, downloads them and hands them to a plain function: for classifiers that are no more
 * than that function.
 */
export function variantPredictor(engine: Engine, predict: Predict): VariantPredictor {
  return {
    async predictVariants({ kernel, inputs, options }) {
      const variants = engine.scope(() =>
        engine.run(
          kernel,
          mapNamed(kernel.inputs, (name) => engine.upload(inputs[name])),
          options,
        ),
      );
      const batch = await engine.download(variants).finally(() => engine.release(variants));
      return predict(batch);
    },
  };
}
