/**
 * A thread's share of a checkout: it is given directories, checks out as many as fit into a slice of time, and gives back
 * those that are left with what it found below them. The main thread and worker threads run this same function.
 */
import { monotonicMs } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import { noTally, type PlaceContext, type Tally } from './context.ts';
import type { LabelFor } from './inode.ts';
import { MetadataLoader } from './metadata.ts';
import { type Destination, DirPlacer, type DirTask, type LateMode } from './place-dir.ts';
import type { Settings } from './settings.ts';
import { closeSources, openSources } from './sources.ts';

/** What a thread needs to begin; plain data. */
export interface WorkInit {
  readonly repoPath: string;
  readonly settings: Settings;
  readonly destination: Destination;
}

export interface Share {
  readonly tasks: readonly DirTask[];
  readonly sliceMs: number;
}

export interface ShareResult {
  /** Directories still to be done. */
  readonly tasks: readonly DirTask[];
  readonly lateModes: readonly LateMode[];
  /** What this share did. */
  readonly tally: Tally;
}

export interface Work {
  /** Works until the time is over or nothing is left, on the task found last first: few are open at a time. */
  (share: Share): Promise<ShareResult>;
  /** For a single file. */
  readonly context: PlaceContext;
  close(): void;
}

/** Gets a thread ready to work. */
export function openWork({ settings, destination }: WorkInit, repo: Repo, labelFor: LabelFor | undefined): Work {
  const sources = openSources(repo, settings, destination.root);
  const tally = noTally();
  const { plainOwner } = destination;
  const context: PlaceContext = { repo, settings, sources, labelFor, tally, plainOwner, emptyFiles: new Map() };
  const placer = new DirPlacer(context, new MetadataLoader(repo), destination);
  const work = async ({ tasks, sliceMs }: Share): Promise<ShareResult> => {
    for (const task of tasks) placer.tasks.push(task);
    const end = monotonicMs() + sliceMs;
    for (let task = placer.tasks.pop(); task !== undefined; task = placer.tasks.pop()) {
      const placing = placer.place(task);
      if (placing !== undefined) await placing;
      if (monotonicMs() >= end) break;
    }
    const done = { ...tally };
    Object.assign(tally, noTally());
    return { tasks: placer.tasks.splice(0), lateModes: placer.lateModes.splice(0), tally: done };
  };
  return Object.assign(work, { context, close: () => closeSources(sources) });
}
