import type { ExplainJob, Finding, LayerChoice } from './explain-pictures.ts';
import type { Pixels } from './io/image.ts';
import { colormaps } from './render/colormap.ts';
import type { Figure, FigureCell, FigureColumn } from './render/figure.ts';
import { overlay } from './render/overlay.ts';
import { labelOfName } from './targets.ts';
import type { Technique } from './techniques.ts';
import { versions } from './versions.ts';

/** What is explained, as far as a figure tells it. */
export interface FigureJob extends Pick<ExplainJob, 'model' | 'pictures'> {
  readonly techniques: readonly FigureTechnique[];
  readonly classifier: { readonly device: string };
}

type FigureTechnique = Pick<Technique, 'title' | 'form' | 'variant' | 'options'>;

/** An explanation, as far as a figure shows it. */
export interface FigureFinding extends Pick<Finding, 'picture' | 'layer' | 'shape' | 'predicted'> {
  readonly technique: FigureTechnique;
  readonly explanation: Pick<Finding['explanation'], 'map' | 'degenerate'>;
}

/** The study's figure of one layer: the techniques below the images, in the order of the job. */
export function studyFigure(job: FigureJob, layer: LayerChoice, findings: readonly FigureFinding[]): Figure {
  const here = findings.filter((finding) => finding.layer === layer);
  const greys = new Map(job.pictures.map((picture) => [picture, inGrey(picture)]));
  return {
    columns: here
      .filter(({ technique }) => technique === job.techniques[0])
      .map((finding) => column(finding, job.model.labels)),
    rows: job.techniques.map((technique) => ({
      title: technique.title,
      subtitle: technique.form,
      cells: here
        .filter((finding) => finding.technique === technique)
        .map((finding) => cell(finding, greys.get(finding.picture) ?? finding.picture)),
    })),
    colours: colormaps.turbo,
    caption: caption(job, here[0]),
  };
}

// the colours of an image would mix with those of the map, and the bar could not be read
function inGrey({ data, size }: Pixels): Pixels {
  const grey = data.map((_, index) => {
    const red = index - (index % 3);
    return Math.round(0.2126 * data[red] + 0.7152 * data[red + 1] + 0.0722 * data[red + 2]); // ITU-R BT.709 luma
  });
  return { data: grey, size };
}

function cell({ explanation }: FigureFinding, grey: Pixels): FigureCell {
  const pixels = overlay({ image: grey, map: explanation.map, colours: colormaps.turbo, alpha: ALPHA });
  return { pixels, note: explanation.degenerate ? 'constant map' : undefined };
}

function column({ picture, predicted }: FigureFinding, labels: readonly string[]): FigureColumn {
  const label = labelOfName(picture.name, labels);
  return {
    image: picture,
    heading: predicted.label,
    subheading: `${(100 * predicted.probability).toFixed(1)} %`,
    fault: label === undefined || label === predicted.label ? undefined : `labelled ${label}`,
  };
}

function caption({ model, classifier, techniques }: FigureJob, { layer, shape }: FigureFinding): string {
  const [depth, height, width] = shape;
  const { cambium, onnxruntime } = versions();
  return [
    `Class activation maps of ${model.file.name} at ${layer.name} (value ${layer.value}: ${depth} channels of ${height}×${width}),`,
    'for the class predicted for each image; above each image that class and its probability.',
    `Each map is scaled to [0, 1] and drawn in colour at ${100 * ALPHA} % over a grey copy of its image.`,
    ...techniques.flatMap((technique) => describeForm(technique, depth)),
    `Model sha256 ${model.file.sha256.slice(0, 12)}…, ${classifier.device} ${onnxruntime}, Cambium ${cambium}.`,
  ].join(' ');
}

function describeForm({ title, variant, options }: FigureTechnique, depth: number): string[] {
  if (variant === null) return [];
  const kept =
    options.channels === undefined
      ? `every one of the ${depth} channels`
      : `${options.channels} of the ${depth} channels, those that vary most`;
  return [`${title} (${variant}) masks the image with ${kept}.`];
}

/** Share of the map in a cell. */
const ALPHA = 0.6;
