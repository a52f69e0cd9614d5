/** Names of the files and folders of a run. */
export const files = {
  run: 'run.json',
  results: 'results.jsonl',
  maps: 'maps.jsonl',
  report: 'report.html',
  map: (place: MapPlace) => `maps/${pathOf(place)}.npy`,
  coarse: (place: MapPlace) => `maps/${pathOf(place)}.coarse.npy`,
  overlay: (place: MapPlace) => `overlays/${pathOf(place)}.webp`,
  input: (image: string) => `inputs/${image}.webp`,
  partial: 'partial',
  lock: 'run.lock',
} as const;

/** Where the files of a map are. */
export interface MapPlace {
  /** The layer's `folder`. */
  readonly layer: string;
  /** Id of the technique. */
  readonly technique: string;
  /** Name of the image. */
  readonly image: string;
}

function pathOf({ layer, technique, image }: MapPlace): string {
  return `${layer}/${technique}/${image}`;
}
