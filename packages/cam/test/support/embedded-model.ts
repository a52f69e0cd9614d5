import { fileURLToPath } from 'node:url';
import { type Graph, loadModel } from '../../src/index.ts';

/** Where the model lies that the repository carries. */
export const embeddedModelPath = fileURLToPath(new URL('../../../../models/resnet50-textures10.onnx', import.meta.url));

/** The model that the repository carries: ResNet-50 on ten textures. */
export function embeddedModel(): Promise<Graph> {
  return loadModel(embeddedModelPath);
}
