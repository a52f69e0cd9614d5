import type { Dim } from './build-model.ts';

/** A small classifier of 3×8×8 images and what reading it should find. */
export interface Network {
  readonly title: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The batch axis as the file declares it. */
  readonly batch: Dim;
  /** Whether any batch size runs once the file has been read. */
  readonly open: boolean;
  /** The file's own graph ends in a Softmax. */
  readonly softmax?: boolean;
  /** The file wants images as batch×height×width×channels. */
  readonly channelsLast?: boolean;
  /** What ONNX Runtime is given instead of the file, where it cannot be fed the file's own input in Node. */
  readonly twin?: Uint8Array<ArrayBuffer>;
  /** Largest difference from ONNX Runtime on the file itself; 1e-5 unless the file computes in less than float32. */
  readonly tolerance?: number;
}
