import { type MethodName, methods, NameError, scoreCamVariants } from '@cambium/cam';
import type { Shape } from '@cambium/gpu-kernels';
import { UsageError } from './errors.ts';

/** A method with the options it will run with. */
export interface Technique {
  readonly method: MethodName;
  /** As papers write it, such as `Grad-CAM++`. */
  readonly title: string;
  /** Which form of it, such as `faster, 64 channels`; empty for methods that have one form. */
  readonly form: string;
  readonly variant: string | null;
  readonly options: { readonly [option: string]: unknown };
  /** What one map costs, counted in forward passes of one image; rough, for the time left. */
  passes(layer: Shape | undefined): number;
}

/** What the command line says about the methods. */
export interface TechniqueRequest {
  readonly methods: readonly string[];
  readonly variant?: string;
  /** Channels that Score-CAM tries, those that vary most; every one by default, 64 in the variant `faster`. */
  readonly channels?: number;
}

/**
 * Settles methods and their options.
 *
 * @throws NameError for an unknown method or variant; UsageError for an option that no named method has
 */
export function chooseTechniques({ methods: names, variant, channels }: TechniqueRequest): Technique[] {
  const chosen = [...new Set(names)].map(checkMethod);
  if ((variant ?? channels) !== undefined && !chosen.includes('score-cam')) {
    throw new UsageError(
      `${variant === undefined ? '--channels' : '--variant'} is an option of score-cam; add --method score-cam.`,
    );
  }
  if (variant !== undefined && !Object.hasOwn(scoreCamVariants, variant)) {
    throw new NameError('variant of score-cam', variant, scoreVariants);
  }
  return chosen.map((method) => describe(method, variant ?? methods['score-cam'].defaults.variant, channels));
}

/** The variants of Score-CAM. */
export const scoreVariants = Object.keys(scoreCamVariants);

function checkMethod(name: string): MethodName {
  if (Object.hasOwn(methods, name)) return name as MethodName; // a key of the registry
  throw new NameError('method', name, Object.keys(methods));
}

function describe(method: MethodName, variant: string, channels: number | undefined): Technique {
  const { title } = methods[method];
  const plain = { method, title, form: '', variant: null, options: {}, passes: () => PASSES[method] ?? 1 };
  if (method !== 'score-cam') return plain;
  const kept = channels ?? (variant === 'faster' ? FASTER_CHANNELS : undefined);
  return {
    ...plain,
    form: kept === undefined ? `${variant}, every channel` : `${variant}, ${kept} channels`,
    variant,
    options: kept === undefined ? { variant } : { variant, channels: kept },
    passes: ([depth] = [USUAL_DEPTH]) => Math.min(kept ?? depth, depth),
  };
}

/** Channels that `faster` keeps unless told otherwise. */
const FASTER_CHANNELS = 64;

// channels of a layer whose shape is not known
const USUAL_DEPTH = 512;

// a pass forward and the walk back, in forward passes
const PASSES: { readonly [method: string]: number } = { 'grad-cam': 2, 'grad-cam++': 2, 'relevance-cam': 3 };
