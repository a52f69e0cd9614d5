import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root, temporaryFolder } from './support/run-cambium.ts';
import { recordOf } from './support/run-rows.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const cluster = join(root, 'docs', 'cluster');
const job = () => parse(readFileSync(join(cluster, 'kubernetes-job.yaml'), 'utf8'));

test('the Kubernetes job is one by the schema of its API', () => {
  expect(() => new Job(job()).validate()).not.toThrow();
  const wrong = job();
  wrong.spec.template.spec.containers[0].volumeMounts[0].mountPath = 8;
  expect(() => new Job(wrong).validate()).toThrow(/mountPath/);
  const less = job();
  delete less.spec.template;
  expect(() => new Job(less).validate()).toThrow(/template/);
});

test('each pod of the Kubernetes job runs its own shard of as many as there are pods', () => {
  const { completions, completionMode, template, podFailurePolicy } = job().spec;
  const [container] = template.spec.containers;
  const [, , script] = container.command;
  expect(completionMode).toBe('Indexed');
  expect(script).toContain(`--shard "$((JOB_COMPLETION_INDEX + 1))/${completions}"`);
  expect(podFailurePolicy.rules[0].onExitCodes.containerName).toBe(container.name);
  const mounted = template.spec.volumes.map(({ name }: { name: string }) => name);
  expect(container.volumeMounts.map(({ name }: { name: string }) => name)).toEqual(mounted);
});

test.skipIf(process.platform === 'win32')('a task of the Slurm array runs its own shard', async () => {
  const suite = await writeTinyStudy(folder);
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: '2', SLURM_ARRAY_TASK_COUNT: '3', OUT: join(folder, 'runs') };
  await promisify(execFile)('bash', [join(cluster, 'slurm-array.sh'), suite], { cwd: root, env });
  const { shard, complete } = recordOf(join(folder, 'runs', 'tiny.shard-2-of-3'));
  expect([shard, complete]).toEqual([{ index: 2, count: 3 }, true]);
});
