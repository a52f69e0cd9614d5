import type { Tensor } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { DerivedModel } from './derived-models.ts';
import type { Session } from './session-cache.ts';

/** Where ONNX Runtime computes. Which of them work depends on the machine and the installed build. */
export const providers = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Provider = (typeof providers)[number];

/** The providers that the installed build of ONNX Runtime has. */
export function availableProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

/** How ONNX Runtime is to compute: plain data, so that it may go to another thread. */
export interface RuntimeOptions {
  readonly provider: Provider;
  /** Threads within an operation; ONNX Runtime's own choice by default. */
  readonly threads?: number;
}

/**
 * Has ONNX Runtime compile a model. It computes in the thread that asks, and nothing else goes on there meanwhile.
 *
 * @throws ModelError when it refuses the model, or the provider is not there
 */
export async function openOrtSession(model: DerivedModel, { provider, threads }: RuntimeOptions): Promise<Session> {
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4, // what goes wrong is thrown, not printed
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((cause: unknown) => {
    throw new ModelError(`ONNX Runtime (${provider}) refused the network: ${reasonOf(cause)}`, { cause });
  });
  return {
    run: async (feeds) => {
      const given = Object.fromEntries(
        Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data, shape)]),
      );
      const results = await session.run(given);
      return model.outputs.map((name) => tensorOf(results[name], name));
    },
    release: () => session.release(),
  };
}

function tensorOf(value: ort.Tensor, name: string): Tensor {
  if (!(value.data instanceof Float32Array)) {
    throw new ModelError(`Value ${name} holds ${value.type}, not float32; choose a layer of activations.`);
  }
  // the runtime allocates plain array buffers, and as many numbers as its shape says
  return { data: value.data as Float32Array<ArrayBuffer>, shape: value.dims };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
}
