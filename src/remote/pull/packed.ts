/**
 * Uses the packs of small files on a mirror: which of the missing objects lie together there, and can be asked for in runs.
 *
 * Nothing that is not missing is downloaded: a run ends where the next object of the pack is not wanted, and an object without
 * neighbours is fetched by itself. Whatever is wrong with the packs, the answer is only that there are no runs.
 */
import type { Checksum } from '../../core/index.ts';
import type { RemoteAccess } from '../access.ts';
import {
  decodeTable,
  PACKS_DIR,
  type PackEntry,
  type PackName,
  packPath,
  parsePacks,
  tableBytes,
} from '../mirror-index/file-pack.ts';
import { orNothing } from '../mirror-index/read.ts';
import { ROOM_BYTES } from './rooms.ts';
import type { PackedObjects } from './source.ts';

/** For fewer the tables are not worth their bytes. */
const MIN_OBJECTS = 256;
/** Nor for a smaller share of what the packs have. */
const MIN_SHARE = 1 / 16;
const MAX_NAMES_BYTES = 1 << 16;

/** Finds runs of missing objects. What is in none of them is fetched by itself. */
export async function planPacked(access: RemoteAccess, missing: readonly Checksum[]): Promise<PackedObjects[]> {
  if (missing.length < MIN_OBJECTS) return [];
  const options = { kind: 'content', limitBytes: MAX_NAMES_BYTES, retry: false } as const;
  const packs = await orNothing(async () => {
    const found = await access.file(`${PACKS_DIR}/current`, options);
    return found === undefined ? undefined : parsePacks(found.bytes);
  });
  if (packs === undefined || missing.length < packs.reduce((sum, { count }) => sum + count, 0) * MIN_SHARE) return [];
  const wanted = new Set(missing);
  const tables = await Promise.all(packs.map((pack) => orNothing(() => fetchTable(access, pack))));
  return packs.flatMap(({ file }, i) => runsOf(packPath(file), tables[i] ?? [], wanted));
}

async function fetchTable(access: RemoteAccess, pack: PackName): Promise<PackEntry[] | undefined> {
  const length = tableBytes(pack.count);
  const found = await access.file(packPath(pack.file), { kind: 'content', range: [0, length - 1], limitBytes: length });
  return found === undefined ? undefined : decodeTable(found.bytes, pack);
}

/** Takes what it finds out of `wanted`, so that no other pack is asked for it. */
function runsOf(path: string, entries: readonly PackEntry[], wanted: Set<Checksum>): PackedObjects[] {
  const runs: PackedObjects[] = [];
  let run: PackEntry[] = [];
  const end = (): void => {
    const [first] = run;
    if (first !== undefined && run.length > 1) {
      runs.push({
        path,
        start: first.start,
        checksums: run.map(({ checksum }) => checksum),
        lengths: run.map((entry) => entry.end - entry.start),
      });
      for (const { checksum } of run) wanted.delete(checksum);
    }
    run = [];
  };
  // A run has room in memory: some hundred files, so that threads have about as much to do each.
  for (const entry of entries) {
    const isWanted = wanted.has(entry.checksum);
    if (!isWanted || entry.end - (run[0]?.start ?? entry.start) > ROOM_BYTES) end();
    if (isWanted) run.push(entry);
  }
  end();
  return runs;
}
