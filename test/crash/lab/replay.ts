/**
 * Replays a recording up to every moment at which the power may be cut, and asks for a judgement of each.
 *
 * A disk may have any of the writes since its last flush. For each stretch between two flushes come first random subsets of
 * its writes, then every prefix; where there are too many prefixes, evenly chosen ones, the last always.
 */
import * as fs from 'node:fs';
import type { LogEntry, LoggedWrite } from './write-log.ts';

export interface CutPoint {
  readonly label: string;
  /** Entries of the recording that came before the cut. */
  readonly position: number;
  /** False when some of these entries were lost. */
  readonly isPrefix: boolean;
}

export interface ReplayOptions {
  /** Random subsets for each stretch. */
  readonly subsets: number;
  /** Prefixes for each stretch. */
  readonly prefixes: number;
  /** Which part of these cuts is judged, chosen at random: above 0, up to 1. */
  readonly share: number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** Brings the image file from before the recording to each cut. Leaves it as after the last entry. */
export async function replayCuts(
  image: string,
  entries: readonly LogEntry[],
  options: ReplayOptions,
  judgeAll: (point: CutPoint) => Promise<void>,
): Promise<void> {
  const judge = async (point: CutPoint): Promise<void> => {
    if (options.random() < options.share) await judgeAll(point);
  };
  const fd = fs.openSync(image, 'r+');
  try {
    await judgeAll({ label: 'before anything', position: 0, isPrefix: true });
    for (const { from, writes } of stretches(entries)) {
      await judgeSubsets(fd, from, writes, options, judge);
      await judgePrefixes(fd, from, writes, options, judge);
    }
  } finally {
    fs.closeSync(fd);
  }
}

interface Stretch {
  /** Index of its first entry. */
  readonly from: number;
  readonly writes: readonly LoggedWrite[];
}

function stretches(entries: readonly LogEntry[]): Stretch[] {
  const found: Stretch[] = [];
  let open: LoggedWrite[] = [];
  for (const [i, entry] of [...entries, 'flush' as const].entries()) {
    if (entry !== 'flush') open.push(entry);
    else if (open.length > 0) {
      found.push({ from: i - open.length, writes: open });
      open = [];
    }
  }
  return found;
}

async function judgeSubsets(
  fd: number,
  from: number,
  writes: readonly LoggedWrite[],
  { subsets, random }: ReplayOptions,
  judge: (point: CutPoint) => Promise<void>,
): Promise<void> {
  if (writes.length < 2) return;
  const before = writes.map(({ at, bytes }) => ({ at, bytes: readAt(fd, at, bytes.length) }));
  for (let k = 0; k < subsets; k++) {
    for (const write of writes) if (random() < 0.5) writeAt(fd, write);
    const position = from + writes.length;
    await judge({ label: `entries ${from} to ${position - 1}, some of them (${k})`, position, isPrefix: false });
    for (const write of before) writeAt(fd, write);
  }
}

async function judgePrefixes(
  fd: number,
  from: number,
  writes: readonly LoggedWrite[],
  { prefixes }: ReplayOptions,
  judge: (point: CutPoint) => Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.ceil(writes.length / prefixes));
  for (const [i, write] of writes.entries()) {
    writeAt(fd, write);
    const position = from + i + 1;
    if ((i + 1) % step === 0 || i === writes.length - 1)
      await judge({ label: `after entry ${position - 1}`, position, isPrefix: true });
  }
}

function readAt(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  fs.readSync(fd, bytes, 0, length, at);
  return bytes;
}

function writeAt(fd: number, { at, bytes }: LoggedWrite): void {
  fs.writeSync(fd, bytes, 0, bytes.length, at);
}
