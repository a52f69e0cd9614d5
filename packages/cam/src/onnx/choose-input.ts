import { ModelError } from '../errors.ts';
import { dataTypes, isFloatType } from './data-types.ts';
import type { DeclaredValue, Dimensions, Draft } from './draft.ts';
import type { GraphInput } from './graph.ts';
import { readsOf } from './node-proto.ts';

/** The image input as the file declares it: `layout` tells where its channels stand. */
export interface ImageInput extends GraphInput {
  readonly layout: 'channels-first' | 'channels-last';
}

/**
 * Finds the image input and its size.
 *
 * Channels are the last axis where that is 1 or 3 and the second is not, as TensorFlow exports; else the second.
 *
 * @param size height and width, for a graph that leaves them open
 * @throws ModelError when there is no image input or several, the size is open or contradicts the graph
 */
export function chooseInput(draft: Draft, size?: readonly [number, number]): ImageInput {
  const read = new Set(draft.nodes.flatMap(readsOf));
  const images = draft.inputs.filter(({ name, dimensions }) => read.has(name) && (dimensions?.length ?? 4) === 4);
  const others = draft.inputs.filter((input) => read.has(input.name) && !images.includes(input));
  if (images.length !== 1 || others.length > 0) throw inputError(images, [...others]);
  const [{ name, dimensions = ['', '', '', ''], dataType }] = images;
  requireFloat(name, dataType);
  const layout = layoutOf(dimensions);
  const [batch, channels, height, width] =
    layout === 'channels-last' ? [0, 3, 1, 2].map((axis) => dimensions[axis]) : dimensions;
  return {
    name,
    shape: [channelCount(channels, name), ...imageSize([height, width], name, size)],
    batch: typeof batch === 'number' && batch > 0 ? batch : 'any',
    layout,
  };
}

/** Integer pixels would be normalised inside the graph, which then is fed what it does not expect. */
function requireFloat(name: string, dataType: number): void {
  if (dataType === 0 || isFloatType(dataType)) return;
  const type = Object.entries(dataTypes).find(([, code]) => code === dataType)?.[0] ?? `type ${dataType}`;
  throw new ModelError({
    where: `Input "${name}"`,
    expected: 'images in floating point, already normalised',
    got: type,
    next: 'Export the network without its preprocessing.',
  });
}

function layoutOf(dimensions: Dimensions): ImageInput['layout'] {
  const isColour = (length: number | string) => length === 1 || length === 3;
  return isColour(dimensions[3]) && !isColour(dimensions[1]) ? 'channels-last' : 'channels-first';
}

function channelCount(channels: number | string, name: string): number {
  if (typeof channels === 'number' && channels > 0) return channels;
  throw new ModelError({
    where: `Input "${name}"`,
    expected: 'a fixed number of channels',
    got: 'an open one',
    next: 'Export the model with a fixed number of channels.',
  });
}

function imageSize(fixed: Dimensions, name: string, size: readonly [number, number] | undefined): [number, number] {
  const where = `Input "${name}"`;
  if (size?.some((length) => !Number.isInteger(length) || length < 1)) {
    const next = 'Give the size as two positive integers, such as 224x224.';
    throw new ModelError({ where, expected: 'a height and width of at least 1', got: size.join('×'), next });
  }
  const contradicted =
    size && fixed.some((length, axis) => typeof length === 'number' && length > 0 && length !== size[axis]);
  if (contradicted) {
    const next = 'Leave the size out: the graph fixes it.';
    throw new ModelError({
      where,
      expected: `${fixed.map((length) => length || '?').join('×')} as the graph fixes it`,
      got: `a size of ${size.join('×')}`,
      next,
    });
  }
  const [height, width] = fixed.map((length, axis) =>
    typeof length === 'number' && length > 0 ? length : size?.[axis],
  );
  if (height && width) return [height, width];
  const next = 'Give the size (--size HxW, or the option size: [height, width]), such as 224x224.';
  throw new ModelError({ where, expected: 'a fixed height and width', got: 'a graph that leaves them open', next });
}

function inputError(images: readonly DeclaredValue[], others: readonly DeclaredValue[]): ModelError {
  const list = (inputs: readonly DeclaredValue[]) =>
    inputs
      .map(({ name, dimensions }) => `"${name}" [${dimensions?.map((length) => length || '?').join(', ') ?? '?'}]`)
      .join(', ');
  const all = [...images, ...others];
  return new ModelError({
    where: 'The model',
    expected: 'one input, a batch of images with 4 axes',
    got: all.length === 0 ? 'no input' : list(all),
    next: 'Export the classifier alone, with the image as its only input.',
  });
}
