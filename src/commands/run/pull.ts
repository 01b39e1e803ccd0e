/** `pull`: fetches refs of a remote. */
import { availableParallelism } from 'node:os';
import { parseRefspec, printSize } from '../../core/index.ts';
import { type NetworkOptions, type PullReport, printDryRun, printPullReport, pull } from '../../remote/index.ts';
import { updateSummaryIfAsked } from '../auto-summary.ts';
import type { Context } from '../context.ts';
import { splitPair, usageError } from '../input.ts';
import { reachOf } from '../network.ts';
import { openForChange } from '../open-repo.ts';
import { pullOptions } from '../pull-options.ts';
import type { Input } from '../spec.ts';
import type { pull as spec } from '../table/mirrors.ts';

type PullInput = Input<typeof spec>;

export async function run(context: Context, input: PullInput): Promise<unknown> {
  const repo = openForChange(context);
  const { remote, refs } = readTarget(input);
  if (input.updateFrequency !== undefined) context.drawEvery(input.updateFrequency === 0 ? 1000 : input.updateFrequency);
  if (input.dryRun && !input.requireStaticDeltas && context.frontEnd === 'ostree')
    throw usageError('--dry-run requires --require-static-deltas');
  const reach = reachOf(context, repo, input.cacheDir);
  const report = await pull(repo, remote, {
    ...pullOptions(context, input),
    refs,
    mirror: input.mirror,
    contentIndex: input.contentIndex,
    subpaths: input.subpath,
    allowMissingSubpaths: context.frontEnd === 'ostree',
    dryRun: input.dryRun,
    timestampCheck: input.timestampCheck,
    timestampCheckFromRev: input.timestampCheckFromRev,
    localCacheRepos: input.localcacheRepo,
    ...reach,
    network: { ...reach.network, ...readNetwork(input) },
  });
  printReport(context, report, input.dryRun);
  if (!input.dryRun) await updateSummaryIfAsked(context, repo.path);
  return { remote, ...report, mirrorIndex: report.mirrorIndex ?? null };
}

/** `REMOTE`, or `REMOTE:REF`. */
function readTarget({ remote, refs }: PullInput): { remote: string; refs: readonly string[] } {
  if (!remote.includes(':')) return { remote, refs };
  const [name = ''] = remote.split(':');
  const first = remote.slice(name.length + 1);
  parseRefspec(`${name}:${first.split('@')[0]}`);
  return { remote: name, refs: [first, ...refs] };
}

/** What the command line says of the network. Errors: `usage`. */
function readNetwork(input: PullInput): NetworkOptions {
  const { maxOutstandingFetcherRequests: most, lowSpeedTimeSeconds: seconds } = input;
  return {
    url: input.url,
    headers: input.httpHeader.map((text) => splitPair(text, "Missing '=' in --http-header")),
    appendUserAgent: input.appendUserAgent,
    retries: input.disableRetryOnNetworkErrors ? 0 : input.networkRetries,
    lowSpeedBytes: input.lowSpeedLimitBytes,
    lowSpeedTimeMs: seconds === undefined ? undefined : seconds * 1000,
    ...(most === undefined ? {} : { connections: Math.max(1, Math.ceil(most / (input.threads || availableParallelism()))) }),
  };
}

function printReport(context: Context, report: PullReport, isDryRun: boolean): void {
  if (isDryRun) {
    context.line(printDryRun(report, context.frontEnd === 'ostree'));
    return;
  }
  context.line(printPullReport(report));
  if (context.frontEnd === 'ostree') return;
  const { contentReused, bytesSaved, deltaBytesSaved, mirrorIndex } = report;
  if (contentReused > 0) context.line(`${contentReused} objects needed no download, which saves ${printSize(bytesSaved)}`);
  if (deltaBytesSaved > 0)
    context.line(`Static deltas saved ${printSize(deltaBytesSaved)}: the content they made, less what they weigh`);
  if (mirrorIndex !== undefined)
    context.line(`Content index for clients: ${mirrorIndex.recordCount} objects, ${printSize(mirrorIndex.sizeBytes)}`);
}
