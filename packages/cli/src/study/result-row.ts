import type { Cell } from './cells.ts';
import type { ResultRow } from './records.ts';
import type { Study } from './study.ts';

/** What came of a cell. */
export type Outcome = Pick<ResultRow, 'value' | 'reason' | 'detail' | 'error'>;

/** What it took. */
export type Used = Pick<ResultRow, 'forwards' | 'explanations' | 'seconds'>;

/** The row of a cell. */
export function resultRow(
  { study, classifier }: { readonly study: Study; readonly classifier: { readonly device: string } },
  { key, image, layer, technique, metric }: Cell,
  { outcome, used }: { readonly outcome: Outcome; readonly used: Used },
): ResultRow {
  return {
    key,
    model: study.model.file.sha256,
    image: image.name,
    layer: layer.name,
    method: technique.method,
    ...(technique.variant !== undefined && { variant: technique.variant }),
    technique: technique.id,
    metric: metric.name,
    options: metric.options,
    ...outcome,
    ...used,
    device: classifier.device,
    seed: study.suite.seed,
  };
}

/** A score's detail as JSON gives it back. */
export function plainDetail(detail: object): NonNullable<ResultRow['detail']> {
  return JSON.parse(JSON.stringify(detail));
}

/** Of a cell that failed before it began. */
export const NO_WORK: Used = { forwards: 0, explanations: 0, seconds: 0 };
