import { type AnyMetric, metrics } from '@cambium/metrics';
import { classCount } from '../prepared-model.ts';
import { type Cell, type Explained, optionsWithin } from './cells.ts';
import { unscorable } from './map-files.ts';
import type { LayerRecord } from './records.ts';
import type { Study, StudyTechnique } from './study.ts';
import { type Requests, requestsOf } from './technique-cost.ts';

/** Work in images classified; `walks` of them go back as well. */
export interface Work {
  readonly forwards: number;
  readonly walks: number;
}

/** What the cells of one image cost, each after those before it. */
export interface ImageEstimate {
  /** Maps that the cells need. */
  readonly maps: readonly { readonly layer: LayerRecord; readonly technique: StudyTechnique; readonly work: Work }[];
  readonly cells: ReadonlyMap<string, Work>;
}

/** Tells the cost of cells before they are worked on. */
export interface Estimator {
  /** The cells of one image, in the order of work. An upper bound; exact where no channel is constant. */
  ofImage(cells: readonly Cell[]): Promise<ImageEstimate>;
  /** Forms of the network that these cells ask for, each compiled by itself; one for each metric that makes variants. */
  networks(cells: readonly Cell[]): Promise<number>;
}

/**
 * Counts forward passes as a run shares them: an image's own pass, walks and masked passes once for all that ask, the
 * variants that metrics explain once for every method and layer, sweeps that metrics declare shared once.
 */
export function openEstimator(study: Study): Estimator {
  const classes = classCount(study.model.graph);
  const input = study.model.graph.input.shape;
  const asked = new Map<string, Promise<Requests>>();

  function requests(explained: Explained, layer: LayerRecord): Promise<Requests> {
    const key = `${layer.value} ${explained.method} ${JSON.stringify(explained.options)}`;
    const known = asked.get(key) ?? requestsOf(explained, layer.shape, classes);
    asked.set(key, known);
    return known;
  }

  async function explaining(ledger: Ledger, what: Explanation): Promise<Work> {
    const { image, layer, explained, target } = what;
    const own = `${image} ${layer.value}`;
    if (!ledger.isNew(`map ${own} ${target} ${explained.method} ${JSON.stringify(explained.options)}`)) return NOTHING;
    const { walks, masks, blank } = await requests(explained, layer);
    const newWalks = walks.filter((walk) => ledger.isNew(`walk ${own} ${target} ${walk}`)).length;
    const newMasks = masks.filter((mask) => ledger.isNew(`mask ${own} ${mask}`)).length;
    const seen = Number(ledger.isNew(`values ${image}`)) + Number(blank && ledger.isNew('blank'));
    return { forwards: seen + newWalks + newMasks, walks: newWalks };
  }

  async function scoring(ledger: Ledger, { layer, technique, metric }: Cell): Promise<Work> {
    if (unscorable(technique, metric)) return NOTHING;
    const { cost, category }: AnyMetric = metrics[metric.name];
    const { forwards, explanations, shared } = cost(metric.options, input);
    const explained = optionsWithin(metric, technique);
    let work = await explaining(ledger, { image: OWN, layer, explained, target: 'target' });
    work = sum(work, { forwards, walks: 0 });
    for (const [key, images] of Object.entries(shared)) {
      if (key !== 'image' && ledger.isNew(`shared ${key}`)) work = sum(work, { forwards: images, walks: 0 });
    }
    for (let index = 0; index < explanations; index++) {
      // randomisation asks for another class of the same image, all others for variants of the image
      const what =
        category === 'randomisation'
          ? { image: OWN, layer, explained, target: `other ${index}` }
          : { image: `${metric.name} ${JSON.stringify(metric.options)} ${index}`, layer, explained, target: 'target' };
      work = sum(work, await explaining(ledger, what));
    }
    return work;
  }

  async function networks(cells: readonly Cell[]): Promise<number> {
    const forms = new Set(['logits', 'layers']);
    for (const { layer, technique, metric } of cells) {
      for (const explained of [technique, optionsWithin(metric, technique)]) {
        const { walks, masks } = await requests(explained, layer);
        for (const walk of walks) forms.add(`walk ${layer.value} ${walk.split(' ')[0]}`); // whatever it starts from
        for (const mask of masks) forms.add(`mask ${layer.value} ${mask.slice(0, mask.lastIndexOf(' '))}`); // of any channel
      }
      const { cost }: AnyMetric = metrics[metric.name];
      const { forwards, shared } = cost(metric.options, input);
      if (forwards > 0 || Object.keys(shared).some((key) => key !== 'image')) forms.add(`variants ${metric.name}`);
    }
    return forms.size;
  }

  return {
    networks,
    async ofImage(cells) {
      const ledger = openLedger();
      const places = new Map(
        cells.map(({ layer, technique }) => [`${layer.value} ${technique.id}`, { layer, technique }]),
      );
      const maps: ImageEstimate['maps'][number][] = [];
      for (const { layer, technique } of places.values()) {
        const work = await explaining(ledger, { image: OWN, layer, explained: technique, target: 'target' });
        maps.push({ layer, technique, work });
      }
      const scored = new Map<string, Work>();
      for (const cell of cells) scored.set(cell.key, await scoring(ledger, cell));
      return { maps, cells: scored };
    },
  };
}

interface Explanation {
  readonly image: string;
  readonly layer: LayerRecord;
  readonly explained: Explained;
  readonly target: string;
}

interface Ledger {
  /** Whether this is asked for the first time. */
  isNew(key: string): boolean;
}

function openLedger(): Ledger {
  const seen = new Set<string>();
  return {
    isNew(key) {
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    },
  };
}

/** Both together. */
export function sum(a: Work, b: Work): Work {
  return { forwards: a.forwards + b.forwards, walks: a.walks + b.walks };
}

/** No work. */
export const NOTHING: Work = { forwards: 0, walks: 0 };
const OWN = 'image';
