import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '../errors.ts';
import { type GraphProto, type ModelProto, ModelProtoSchema } from './schema/onnx_pb.js';

/** A parsed file that is known to hold a graph. */
export type ParsedModel = ModelProto & { readonly graph: GraphProto };

/**
 * Parses the bytes of an ONNX file. Weights stay where they are: tensors refer to the bytes that were given.
 *
 * @throws ModelError when the bytes are no ONNX model, saying what they look like instead
 */
export function parseModel(bytes: Uint8Array): ParsedModel {
  if (bytes.length === 0) throw notOnnx('an empty file', 'Copy or export the model again.');
  const alien = signatures.find(({ offset = 0, start }) => startsWith(bytes, start, offset));
  if (alien) throw notOnnx(alien.what, alien.next);
  const model = parse(bytes);
  if (!hasGraph(model)) {
    throw notOnnx('a file without a graph', 'It may be cut short, or be no ONNX model: copy or export it again.');
  }
  return model;
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const got = isText(bytes) ? 'a text file' : `${bytes.length} bytes that break off or follow another format`;
    throw notOnnx(got, 'Copy the file again if it was cut short, or export the model to ONNX.', cause);
  }
}

function hasGraph(model: ModelProto): model is ParsedModel {
  return model.graph !== undefined && (model.graph.node.length > 0 || model.graph.input.length > 0);
}

function notOnnx(got: string, next: string, cause?: unknown): ModelError {
  return new ModelError({ where: 'The model', expected: 'an ONNX file', got, next }, { cause });
}

function isText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 64).every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
}

function startsWith(bytes: Uint8Array, start: string, offset: number): boolean {
  return [...start].every((letter, index) => bytes[offset + index] === letter.charCodeAt(0));
}

const EXPORT = 'Export the model to ONNX and give that file.';

/** First bytes of files that are given by mistake. */
const signatures: readonly { offset?: number; start: string; what: string; next: string }[] = [
  { start: '\x89PNG', what: 'a PNG image', next: 'Give the image as the image, and an .onnx file as the model.' },
  { start: '\xFF\xD8\xFF', what: 'a JPEG image', next: 'Give the image as the image, and an .onnx file as the model.' },
  { start: 'PK\x03\x04', what: 'a zip archive (PyTorch .pt and Keras .keras files are ones)', next: EXPORT },
  { start: '\x89HDF', what: 'an HDF5 file (Keras .h5 files are ones)', next: EXPORT },
  { start: '\x80\x02', what: 'a Python pickle', next: EXPORT },
  { start: 'TFL3', offset: 4, what: 'a TensorFlow Lite file', next: EXPORT },
  {
    start: 'version https://git-lfs',
    what: 'a Git LFS pointer, not the file itself',
    next: 'Run `git lfs pull` first.',
  },
  { start: '{', what: 'a JSON file', next: 'Give the .onnx file that belongs to it.' },
];
