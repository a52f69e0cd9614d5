import { chooseInput } from './choose-input.ts';
import type { Graph } from './graph.ts';
import { normalise } from './normalise.ts';
import { parseModel } from './parse-model.ts';
import { readDraft } from './read-draft.ts';
import type { External } from './tensor-proto.ts';

/** What the file itself may not tell. */
export interface ReadOptions {
  /** Height and width of the images, for a graph that leaves them open. */
  readonly size?: readonly [height: number, width: number];
  /** Reads bytes of external data files; without it, a model that has any is refused. */
  readonly external?: External;
}

/**
 * Reads an ONNX image classifier. Weights that need no conversion are views of `bytes`.
 *
 * @throws ModelError when the bytes are no ONNX model, or it is not a classifier of images that Cambium can read
 * @source ONNX IR and operators, opsets 7 to 22, https://onnx.ai/onnx/
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Graph {
  const draft = readDraft(parseModel(bytes), options.external);
  return normalise(draft, chooseInput(draft, options.size));
}
