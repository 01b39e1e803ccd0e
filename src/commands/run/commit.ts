/** `commit`: stores trees as a commit and moves a ref to it. */
import { HacktreeError } from '../../core/index.ts';
import { type CommitReport, commit, printIdDrift } from '../../repo/index.ts';
import { updateSummaryIfAsked } from '../auto-summary.ts';
import { type CommitInput, readCommitRequest, readText } from '../commit-request.ts';
import type { Context } from '../context.ts';
import { askEditor } from '../editor.ts';
import { openForChange } from '../open-repo.ts';
import { readSigner } from '../read-signer.ts';

export async function run(context: Context, input: CommitInput): Promise<unknown> {
  const repo = openForChange(context);
  const request = readCommitRequest(context, input);
  const { gpgSign: gpgKeys, gpgHomedir, sign: keys, signFromFile: keyFiles, signType: type } = input;
  const sign = await readSigner(context, { gpgKeys, gpgHomedir, keys, keyFiles, type });
  const report = await commit(repo, {
    ...request,
    ...readTexts(context, input),
    ...(sign === undefined ? {} : { sign }),
    signal: context.signal,
    onProgress: context.report,
    onLockWait: context.onLockWait,
  });
  if (!report.isUnchanged && input.branch !== undefined) await updateSummaryIfAsked(context, repo.path);
  warnAbout(context, report);
  printReport(context, report, input.tableOutput);
  return { ...report, parent: report.parent ?? null };
}

function readTexts({ surroundings: { env } }: Context, input: CommitInput): { subject: string; body: string } {
  const body = input.bodyFile === undefined ? (input.body ?? '') : readText(input.bodyFile);
  if (!input.editor) return { subject: input.subject ?? '', body };
  const given = [input.subject, body].filter((text) => text !== undefined && text !== '').join('\n\n');
  const help = [
    `${given}\n`,
    '# Write what this commit is: the first line becomes the subject, the rest the body.',
    '# Lines that start with # are left out. Without a subject nothing is committed.',
    ...(input.branch === undefined ? [] : ['#', `# Branch: ${input.branch}`]),
  ];
  const [subject = '', ...rest] = askEditor(`${help.join('\n')}\n`, env).split('\n');
  if (subject === '') throw new HacktreeError('usage', 'Aborting commit due to empty commit subject.');
  return { subject, body: rest.join('\n').trim() };
}

function warnAbout(context: Context, { idDrift, skippedSpecials }: CommitReport): void {
  for (const drift of idDrift) context.warn(`${printIdDrift(drift)}; files keep the number (see --id-map, --strict-ids)`);
  for (const path of skippedSpecials) context.warn(`left out, a special file: ${path}`);
}

function printReport(context: Context, report: CommitReport, asTable: boolean): void {
  if (!asTable) {
    context.line(report.commit);
    return;
  }
  context.line(`Commit: ${report.commit}`);
  context.line(`Metadata Total: ${report.metadataTotal}`);
  context.line(`Metadata Written: ${report.metadataWritten}`);
  context.line(`Content Total: ${report.contentTotal}`);
  context.line(`Content Written: ${report.contentWritten}`);
  context.line(`Content Cache Hits: ${report.contentCacheHits}`);
  context.line(`Content Bytes Written: ${report.contentBytesWritten}`);
}
