/** What a pull is to bring: from names on the command line, the remote's configuration and its summary to commits. */
import { type Checksum, HacktreeError, isChecksum } from '../../core/index.ts';
import { parseRepoMode } from '../../repo/index.ts';
import type { RemoteAccess } from '../access.ts';
import type { RemoteSummary } from '../remote-summary.ts';
import type { RemoteConfig } from '../remotes.ts';

export interface Target {
  /** Undefined for a commit that was asked for by its checksum. */
  readonly ref: string | undefined;
  readonly checksum: Checksum;
}

export interface TargetRequest {
  /** `REF`, `REF@CHECKSUM` or `CHECKSUM`. Undefined: the remote's branches. */
  readonly refs: readonly string[] | undefined;
  /** Without refs: all that the summary lists. */
  readonly mirror: boolean;
  readonly summary: RemoteSummary | undefined;
}

/** Resolves names. Errors: `ref-not-found`, `remote-config` (nothing is named), `repo-mode` (not a mirror), `usage`, `network`. */
export async function resolveTargets(access: RemoteAccess, remote: RemoteConfig, request: TargetRequest): Promise<Target[]> {
  await checkRemoteMode(access, request.summary);
  const targets: Target[] = [];
  for (const text of requestedRefs(remote, request)) {
    targets.push(await resolveTarget(access, remote, { text, summary: request.summary }));
  }
  return targets;
}

function requestedRefs({ name, branches }: RemoteConfig, request: TargetRequest): readonly string[] {
  const { refs, mirror, summary } = request;
  if (refs !== undefined) return refs;
  if (mirror) {
    if (summary !== undefined) return summary.summary.refs.map(({ ref }) => ref);
    throw new HacktreeError(
      'remote-config',
      'Fetching all refs was requested in mirror mode, but remote repository does not have a summary',
      { details: { remote: name }, hints: ['name the refs, or run `hacktree summary -u` on the mirror'] },
    );
  }
  if (branches.length > 0) return branches;
  throw new HacktreeError('remote-config', `No configured branches for remote ${name}`, {
    details: { remote: name },
    hints: ['name a ref, or set branches= in the configuration of the remote'],
  });
}

async function resolveTarget(
  access: RemoteAccess,
  { name }: RemoteConfig,
  { text, summary }: { text: string; summary: RemoteSummary | undefined },
): Promise<Target> {
  if (isChecksum(text)) return { ref: undefined, checksum: text };
  const [ref = '', override] = text.split('@');
  if (override !== undefined) {
    if (isChecksum(override)) return { ref, checksum: override };
    throw new HacktreeError('usage', `Invalid rev ${override}`, {
      details: { expected: 'REF@CHECKSUM with a whole checksum', found: text },
    });
  }
  const listed = summary?.summary.refs.find((entry) => entry.ref === ref)?.commit;
  const checksum = listed ?? (summary === undefined ? await access.ref(ref) : undefined);
  if (checksum !== undefined) return { ref, checksum };
  const where = summary === undefined ? `at ${access.where}` : 'in repository summary';
  throw new HacktreeError('ref-not-found', `No such branch '${ref}' ${where}`, {
    details: { remote: name, path: access.where, found: ref },
    hints: [
      `hacktree ${access.local === undefined ? `remote refs ${name}` : `refs --repo=${access.local.path}`} lists what there is`,
    ],
  });
}

async function checkRemoteMode(access: RemoteAccess, summary: RemoteSummary | undefined): Promise<void> {
  if (access.local !== undefined) return;
  const mode = summary?.facts.mode ?? (await configuredMode(access));
  if (mode === undefined || parseRepoMode(mode) === 'archive') return;
  throw new HacktreeError('repo-mode', `Can't pull from archives with mode "${mode}"`, {
    details: { path: access.where, expected: 'archive', found: mode },
    hints: ['a web server must serve a repository of mode archive'],
  });
}

async function configuredMode(access: RemoteAccess): Promise<string | undefined> {
  const config = await access.file('config', { limitBytes: 1 << 20 });
  return config === undefined ? undefined : /^\s*mode\s*=\s*(\S+)\s*$/m.exec(config.bytes.toString('utf8'))?.[1];
}
