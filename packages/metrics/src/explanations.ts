import { nextTurn, rows, ShapeError, type Tensor, tensor } from '@cambium/gpu-kernels';
import { NoScore } from './no-score.ts';
import { copies, defaultBatchSize, repeat } from './outputs.ts';
import type { Subject } from './types.ts';

/** Many images to explain, made one batch at a time. */
export interface ExplainRequest {
  readonly count: number;
  /** Where batches are written, N×C×H×W, by requests that follow each other; else memory of the request's own. */
  readonly room?: Tensor;
  /** Fills the pixels, C·H·W and a copy of the subject's image at first, of the image of this index. */
  write?(index: number, pixels: Float32Array): void;
  /** Class to explain; the subject's unless given. */
  target?(index: number): number;
  /** Receives every map H×W in the order of the images, with the image that it explains. */
  visit(index: number, map: Tensor, image: Tensor): void;
}

/**
 * Explains variants of a subject's image and hands over the maps as they come: one batch is alive at once, in the same
 * memory as the next, so that an image that is visited lasts until its batch is over. With
 * `explainBatch` a batch is explained together, else image by image. Before each the event loop gets a turn, and the
 * subject's signal is looked at.
 *
 * @throws ShapeError when a map is not H×W
 * @throws NoScore when a map holds NaN or infinity
 */
export async function explainEach(subject: Subject, request: ExplainRequest): Promise<void> {
  const batch = subject.batchSize ?? defaultBatchSize;
  const { image } = subject;
  // every batch is written here; an image that nothing is written to is explained as it is
  const alone = request.count === 1 && !request.write;
  const room = alone
    ? tensor(image.data, [1, ...image.shape])
    : (request.room ?? copies(image, Math.min(batch, request.count)));
  for (let start = 0; start < request.count; start += batch) {
    const images = rows(room, 0, Math.min(batch, request.count - start));
    if ((start > 0 || request.room) && request.write) repeat(subject.image, images);
    const parts = Array.from({ length: images.shape[0] }, (_, row) =>
      tensor(rows(images, row, row + 1).data, subject.image.shape),
    );
    for (const [row, part] of parts.entries()) request.write?.(start + row, part.data);
    const targets = parts.map((_, row) => request.target?.(start + row) ?? subject.target);
    const maps = await explainParts(subject, { images, parts, targets });
    for (const [row, map] of maps.entries()) request.visit(start + row, requireMap(map, subject), parts[row]);
  }
}

async function explainParts(
  subject: Subject,
  { images, parts, targets }: { images: Tensor; parts: readonly Tensor[]; targets: readonly number[] },
): Promise<Tensor[]> {
  if (subject.explainBatch) {
    await turn(subject);
    const maps = await subject.explainBatch(images, targets);
    if (maps.shape[0] !== parts.length) {
      throw new ShapeError('explainBatch', `to return ${parts.length} maps`, `[${maps.shape.join(', ')}]`);
    }
    return parts.map((_, row) => tensor(rows(maps, row, row + 1).data, maps.shape.slice(1)));
  }
  const maps: Tensor[] = [];
  for (const [row, part] of parts.entries()) {
    await turn(subject);
    maps.push(await subject.explain(part, targets[row]));
  }
  return maps;
}

async function turn({ signal }: Subject): Promise<void> {
  await nextTurn();
  signal?.throwIfAborted();
}

function requireMap(map: Tensor, { image }: Subject): Tensor {
  const [, height, width] = image.shape;
  if (map.shape.join() !== `${height},${width}`) {
    throw new ShapeError('explain', `to return a map of ${height}×${width}, as the image`, `[${map.shape.join(', ')}]`);
  }
  for (let pixel = 0; pixel < map.data.length; pixel++) {
    if (Number.isFinite(map.data[pixel])) continue;
    throw new NoScore(`explain returned a map with ${map.data[pixel]} at index ${pixel}`);
  }
  return map;
}
