import { randomWasm } from './random-wasm.ts';
import { runModule } from './wasm.ts';

/** A stream between two draws: its words, and the place of the next one in the block that they make. */
export interface TwisterState {
  readonly words: Int32Array;
  at: number;
}

/** Draws of many numbers at a time; each moves the stream on. */
export interface ManyDraws {
  /** Adds uniform numbers in [low, low + span) to numbers in their order. */
  addUniform(state: TwisterState, numbers: Float32Array, low: number, span: number): void;
  /** Adds pairs of normal numbers to an even count of numbers in their order. */
  addNormal(state: TwisterState, numbers: Float32Array, deviation: number): void;
  /** The first numbers of a permutation of 0 to count − 1. */
  permutation(state: TwisterState, count: number, first: number): Uint32Array<ArrayBuffer>;
}

/** The exports of `wasm/random.ts`; addresses in bytes. */
interface RandomModule {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly STATE: { readonly value: number };
  readonly NUMBERS: { readonly value: number };
  readonly FREE: { readonly value: number };
  temper(): void;
  addUniform(at: number, count: number, low: number, span: number): number;
  addNormal(at: number, pairs: number, deviation: number): number;
  drawPartners(at: number, count: number, partners: number): number;
  swapAll(count: number, partners: number, order: number): void;
  swapFirst(count: number, first: number, partners: number, order: number): void;
}

const PAGE = 65536;
/** Numbers that the module has room for. */
const PORTION = 16384;

let made: ManyDraws | null | undefined; // one instance serves all streams: its memory holds nothing between calls

/** Draws by WebAssembly with 128-bit instructions; null where it does not run. */
export function manyDraws(): ManyDraws | null {
  if (made === undefined) {
    const module = runModule<RandomModule>(randomWasm);
    made = module === undefined ? null : drawsOf(module);
  }
  return made;
}

function drawsOf(module: RandomModule): ManyDraws {
  /** Hands the stream to the module, and takes it back. */
  const moving = (state: TwisterState, draw: (at: number) => number) => {
    const held = new Int32Array(module.memory.buffer, module.STATE.value, state.words.length);
    held.set(state.words);
    module.temper();
    state.at = draw(state.at);
    state.words.set(held);
  };
  const inPortions = (numbers: Float32Array, draw: (count: number) => void) => {
    const room = new Float32Array(module.memory.buffer, module.NUMBERS.value, PORTION);
    for (let start = 0; start < numbers.length; start += PORTION) {
      const portion = numbers.subarray(start, start + PORTION);
      room.set(portion);
      draw(portion.length);
      portion.set(room.subarray(0, portion.length));
    }
  };
  return {
    addUniform(state, numbers, low, span) {
      moving(state, (at) => {
        inPortions(numbers, (count) => {
          at = module.addUniform(at, count, low, span);
        });
        return at;
      });
    },
    addNormal(state, numbers, deviation) {
      moving(state, (at) => {
        inPortions(numbers, (count) => {
          at = module.addNormal(at, count / 2, deviation);
        });
        return at;
      });
    },
    permutation(state, count, first) {
      const partners = module.FREE.value;
      const order = partners + 4 * count;
      const end = order + 4 * count + count / 8 + 16; // the order, or marks and bits and the first of it
      const pages = Math.ceil((end - module.memory.buffer.byteLength) / PAGE);
      if (pages > 0) module.memory.grow(pages);
      moving(state, (at) => module.drawPartners(at, count, partners));
      if (first < Math.min(count / 8, 0xffff)) module.swapFirst(count, first, partners, order);
      else module.swapAll(count, partners, order);
      return new Uint32Array(module.memory.buffer, order, Math.min(first, count)).slice();
    },
  };
}
