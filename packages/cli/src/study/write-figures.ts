import { join } from 'node:path';
import { writeAtomically } from '../io/atomic-write.ts';
import { encodeWithSvg, type Picture, readPicture } from '../io/image.ts';
import { drawFigure } from '../render/figure.ts';
import { type FigureFinding, type FigureJob, studyFigure } from '../study-figure.ts';
import { openKeys } from './cells.ts';
import { type ImageRecord, type LayerRecord, mapRowSchema, type RunRecord } from './records.ts';
import { readRows } from './rows.ts';
import { files } from './run-files.ts';
import { readMap } from './run-folder.ts';
import type { Study, StudyTechnique } from './study.ts';
import { requestsOf } from './technique-cost.ts';

/** Images that a figure shows at most, the first ones. */
const COLUMNS = 12;

/**
 * Writes the study's figure of each layer, `figure-<layer>.png`: images across, methods down. A layer of which a map is
 * missing has none.
 *
 * @returns the names of the files
 */
export async function writeFigures(study: Study, { images, device }: RunRecord, folder: string): Promise<string[]> {
  const [, height, width] = study.model.graph.input.shape;
  const shown = images.slice(0, COLUMNS);
  const pictures = new Map<string, Picture>();
  for (const { name, resize } of shown.map((image) => ({ ...image, resize: study.model.resize }))) {
    const { file } = study.images.find((image) => image.name === name)!; // the record lists the study's images
    pictures.set(name, { ...(await readPicture(file, [height, width], resize)), name });
  }
  const techniques = await Promise.all(study.techniques.map((technique) => drawn(technique, study)));
  const job: FigureJob = { model: study.model, pictures: [...pictures.values()], techniques, classifier: { device } };
  const written: string[] = [];
  for (const layer of study.layers) {
    const findings = await findingsAt({ study, layer, images: shown, pictures, techniques, folder });
    if (!findings) continue;
    const { pixels, svg } = drawFigure(studyFigure(job, layer, findings));
    const name = `figure-${layer.folder}.png`;
    await writeAtomically(join(folder, name), await encodeWithSvg(pixels, svg));
    written.push(name);
  }
  return written;
}

// the caption tells how those that mask the image do it
async function drawn(technique: StudyTechnique, { layers, model }: Study): Promise<FigureJob['techniques'][number]> {
  const { masks } = await requestsOf(technique, layers[0].shape, model.labels.length);
  return { ...technique, variant: masks.length > 0 ? (technique.variant ?? null) : null };
}

interface Place {
  readonly study: Study;
  readonly layer: LayerRecord;
  readonly images: readonly ImageRecord[];
  readonly pictures: ReadonlyMap<string, Picture>;
  readonly techniques: FigureJob['techniques'];
  readonly folder: string;
}

async function findingsAt({
  study,
  layer,
  images,
  pictures,
  techniques,
  folder,
}: Place): Promise<FigureFinding[] | undefined> {
  const keys = openKeys(study);
  const rows = new Map(readRows(join(folder, files.maps), mapRowSchema).rows.map((row) => [row.key, row]));
  const findings: FigureFinding[] = [];
  for (const image of images) {
    const source = study.images.find(({ name }) => name === image.name)!; // the record lists the study's images
    for (const [index, technique] of study.techniques.entries()) {
      const row = rows.get(keys.ofMap(source, layer, technique));
      if (!row) return undefined;
      const map = await readMap(folder, { layer: layer.folder, technique: technique.id, image: image.name });
      findings.push({
        picture: pictures.get(image.name)!, // read above, for these images
        layer,
        shape: layer.shape,
        technique: techniques[index],
        predicted: image.predicted,
        explanation: { map, degenerate: row.degenerate },
      });
    }
  }
  return findings;
}
