/** `du`: how much space refs, commits and paths need, alone and together with others. */
import { printSize } from '../../core/index.ts';
import { type DuReport, du, openRepo, printDate, type SharedUsage, type Usage } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import type { du as spec } from '../table/repository.ts';

type DuInput = Input<typeof spec>;

export async function run(context: Context, input: DuInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const path = input.rev === undefined ? undefined : { rev: input.rev, path: input.path ?? '/' };
  const report = du(repo, { ...(path === undefined ? {} : { path }), onProgress: context.report, signal: context.signal });
  const bytes = ({ apparentBytes, diskBytes }: Usage): string => plainSize(input.apparentSize ? apparentBytes : diskBytes);
  if (path === undefined) printRepo(context, report, bytes);
  else
    printTable(
      context,
      'PATH',
      report.paths.map(({ path: name, ...usage }) => ({ ...usage, name })),
      bytes,
    );
  return report;
}

type Bytes = (usage: Usage) => string;

/** For columns, with an ordinary space. */
function plainSize(bytes: number): string {
  return printSize(bytes).replace('\u00a0', ' ');
}

function printRepo(context: Context, report: DuReport, bytes: Bytes): void {
  const { total, unneeded, duplicates } = report;
  context.line(`Total: ${bytes(total)} in ${total.objects} objects`);
  context.line(`Needed by no commit: ${bytes(unneeded)} in ${unneeded.objects} objects`);
  context.line(
    `Duplicate content: ${plainSize(duplicates.extraDiskBytes)} in ${duplicates.objects} objects with ${duplicates.contents} contents`,
  );
  const refs = report.refs.map(({ ref, commits, ...usage }) => ({ ...usage, name: `${ref} (${plural(commits, 'commit')})` }));
  printTable(context, 'REF WITH ITS HISTORY', refs, bytes, true);
  const commits = report.commits.map(({ commit, timestampSec, refs: names, subject, ...usage }) => {
    const date = printDate(BigInt(timestampSec))?.slice(0, -6) ?? '';
    return {
      ...usage,
      name: [commit, date, ...names.map((name) => `[${name}]`), subject].filter((part) => part !== '').join(' '),
    };
  });
  printTable(context, 'COMMIT', commits, bytes, true);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

type Row = SharedUsage & { readonly name: string };

/** Exclusive: would be free without it. Shared: something else needs it as well. */
function printTable(context: Context, title: string, rows: readonly Row[], bytes: Bytes, gap = false): void {
  if (rows.length === 0) return;
  if (gap) context.line();
  context.line(`${'EXCLUSIVE'.padStart(11)} ${'SHARED'.padStart(11)}  ${title}`);
  for (const { exclusive, shared, name } of rows) {
    context.line(`${bytes(exclusive).padStart(11)} ${bytes(shared).padStart(11)}  ${name}`);
  }
}
