/**
 * `fsck`: verifies a repository.
 *
 * Lines and their order are ostree's, so that scripts can go on reading them; hacktree adds refs and paths to each
 * finding, and does not count on standard output.
 */
import { type FsckFinding, type FsckReport, fsck, openRepo, repairFromRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { fsck as spec } from '../table/repository.ts';

type FsckInput = Input<typeof spec>;

export async function run(context: Context, input: FsckInput): Promise<unknown> {
  if (input.repair !== (input.from !== undefined)) throw usageError('--repair and --from=REPO belong together');
  const repo = openRepo(context.repoPath);
  const report = await fsck(repo, {
    addTombstones: input.addTombstones,
    deleteDamaged: input.delete,
    verifyBindings: input.verifyBindings,
    verifyBackRefs: input.verifyBackRefs,
    ...(input.from === undefined ? {} : { repairFrom: repairFromRepo(openRepo(input.from)) }),
    ...(input.threads === undefined ? {} : { threads: input.threads }),
    signal: context.signal,
    onProgress: context.report,
  });
  if (!context.json) printReport(context, report, input);
  if (!report.ok) context.endAs('object-corrupt');
  return report;
}

function printReport(context: Context, report: FsckReport, input: FsckInput): void {
  const { quiet } = input;
  const say = (line: string): void => {
    if (!quiet) context.line(line);
  };
  const left = report.findings.filter(({ repaired }) => !repaired);
  const ofRefs = left.filter(
    (finding) => finding.kind === 'ref-broken' || (finding.kind === 'binding-mismatch' && !isBackRef(finding)),
  );
  const ofObjects = report.findings.filter(({ object }) => object !== undefined);
  say('Validating refs...');
  if (stopsAt(context, ofRefs)) return;
  say('Validating refs in collections...');
  say('Enumerating commits...');
  if (stopsAt(context, left.filter(isBackRef))) return;
  say(`Verifying content integrity of ${report.commitCount} commit objects...`);
  printCounts(context, report, 'begin');
  if (!input.all && !input.delete && stopsAt(context, ofObjects.filter(isDamaged))) return;
  printCounts(context, report, 'end');
  for (const commit of report.tombstones) say(`Adding tombstone for commit ${commit}`);
  for (const finding of ofObjects) printFinding(context, finding);
  for (const commit of report.markedCommits) context.message(`Marking commit as partial: ${commit}`);
  const unverified = report.partialCommits.length + report.damagedCommits.length;
  // ostree says this even when asked to be quiet.
  if (unverified > 0 && (!quiet || context.frontEnd === 'ostree')) context.line(`${unverified} partial commits not verified`);
  printVerdict(context, { report, left, quiet });
}

function isDamaged({ kind, repaired }: FsckFinding): boolean {
  return !repaired && (kind === 'object-corrupt' || kind === 'object-invalid');
}

/** A ref that a commit is bound to and that leads elsewhere: ostree finds those later than the refs' own bindings. */
function isBackRef({ kind, message }: FsckFinding): boolean {
  return kind === 'binding-mismatch' && message.startsWith('Ref ');
}

/** ostree ends with the first such finding as its error; hacktree goes on, and prints those of refs here. */
function stopsAt(context: Context, findings: readonly FsckFinding[]): boolean {
  const [first] = findings;
  if (context.frontEnd === 'ostree' && first !== undefined) context.message(`error: ${first.message}`);
  else for (const finding of findings) if (finding.object === undefined) printFinding(context, finding);
  return context.frontEnd === 'ostree' && first !== undefined;
}

type Moment = 'begin' | 'end';

/** What ostree prints of its progress where standard output is no terminal; not even --quiet stops it. */
function printCounts(context: Context, { objectCount, partialCommits }: FsckReport, moment: Moment): void {
  // The commit objects of partial commits are verified here, but not counted there.
  const total = objectCount - partialCommits.length;
  if (context.frontEnd !== 'ostree' || total === 0 || (moment === 'end' && total === 1)) return;
  const done = moment === 'begin' ? 1 : total;
  context.line(`fsck objects (${done}/${total}) ${Math.floor((done * 100) / total)}%`);
}

function printFinding(context: Context, finding: FsckFinding): void {
  context.message(finding.message);
  if (context.frontEnd === 'ostree') return;
  if (finding.repaired) context.message('  repaired');
  if (finding.refs.length > 0) context.message(`  refs: ${finding.refs.join(', ')}`);
  for (const path of finding.paths) context.message(`  path: ${path}`);
  if (finding.hasMorePaths) context.message('  and more paths');
}

interface Verdict {
  readonly report: FsckReport;
  readonly left: readonly FsckFinding[];
  readonly quiet: boolean;
}

function printVerdict(context: Context, { report, left, quiet }: Verdict): void {
  const { commitCount, damagedCommits, findings, ok } = report;
  if (ok) {
    const repaired = findings.length === 0 ? 'no errors found' : `${findings.length} errors repaired`;
    if (!quiet || context.frontEnd === 'ostree')
      context.line(`object fsck of ${commitCount} commits completed successfully - ${repaired}.`);
  } else if (left.length > 0) context.message('error: Repository corruption encountered');
  else context.message(`error: ${damagedCommits.length} partial commits from fsck-detected corruption`);
}
