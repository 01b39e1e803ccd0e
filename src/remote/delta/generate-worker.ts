/** The part of delta generation that runs in threads: comparing two versions of a file, compressing a part. */
import type { Checksum } from '../../core/index.ts';
import type { PartPayload } from '../../format/index.ts';
import { loadFile, openRepo, readContent } from '../../repo/index.ts';
import type { WorkerFunction } from '../../sys/index.ts';
import { compareContent, type Difference } from './compare.ts';
import { type PackedPart, packPart } from './pack.ts';

export interface GenerateInit {
  readonly repoPath: string;
}

export type GenerateTask =
  | { readonly kind: 'compare'; readonly source: Checksum; readonly target: Checksum; readonly bsdiff: boolean }
  | { readonly kind: 'pack'; readonly payload: PartPayload };

export type GenerateResult = Difference | PackedPart;

export function createWorker({ repoPath }: GenerateInit): WorkerFunction<GenerateTask, GenerateResult> {
  const repo = openRepo(repoPath);
  const content = (checksum: Checksum): Buffer => readContent(loadFile(repo, checksum));
  return (task) => {
    if (task.kind === 'pack') return packPart(task.payload);
    return compareContent(content(task.source), content(task.target), { bsdiff: task.bsdiff });
  };
}
