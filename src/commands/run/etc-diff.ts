/** `etc diff`: local changes of /etc, or what differs between two roots, line by line. */
import { etcOfRoot, type RootEtc, type SysrootState } from '../../deploy/index.ts';
import { compareEtc, printEtcDifference } from '../../etc/index.ts';
import type { Context } from '../context.ts';
import { printChange, readEtc } from '../etc-context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { etcDiff } from '../table/etc.ts';

type DiffInput = Input<typeof etcDiff>;

interface Side {
  readonly root: string;
  readonly isDefaults: boolean;
  readonly dir: string;
}

export async function run(context: Context, input: DiffInput): Promise<unknown> {
  const { state, etc } = readEtc(input, input.to);
  const [from, to] = sides(state, etc, input);
  const changes = compareEtc(from.dir, to.dir).map((difference) => {
    if (input.nameOnly) printChange(context, difference);
    if (input.nameOnly || difference.change === 'unreadable') return difference;
    return { ...difference, text: printEtcDifference(from.dir, to.dir, difference.path) };
  });
  for (const { path, change, text } of changes as { path: string; change: string; text?: string }[]) {
    if (text !== undefined) context.print(text);
    else if (change === 'unreadable') context.warn(`etc/${path}: you may not read it`);
  }
  return { from: sideData(from), to: sideData(to), changes };
}

function sides(state: SysrootState, etc: RootEtc, input: DiffInput): [Side, Side] {
  if (input.from === undefined) {
    if (input.defaults) throw usageError('--defaults compares two roots: name one or both');
    return [sideOf(etc, true), sideOf(etc, false)];
  }
  return [sideOf(etcOfRoot(state, input.from), input.defaults), sideOf(etc, input.defaults)];
}

function sideOf({ root, etcDir, defaultsDir }: RootEtc, isDefaults: boolean): Side {
  return { root, isDefaults, dir: isDefaults ? defaultsDir : etcDir };
}

const sideData = ({ root, isDefaults }: Side): object => ({ root, isDefaults });
