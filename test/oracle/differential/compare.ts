/** Runs lines on both sides, each pair at the same time, and lists where what they say or leave differs. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OSTREE_JS } from '../../helpers/front-ends.ts';
import { describeTree } from '../../helpers/oracle.ts';
import { run, runOk } from '../../helpers/run.ts';
import { copySides, type Sides } from '../../helpers/side-by-side.ts';
import { acceptedFor, isMasked, maskText } from './differences.ts';

export interface Difference {
  readonly line: string;
  readonly aspect: string;
  readonly ours: unknown;
  readonly real: unknown;
}

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ENV = { SOURCE_DATE_EPOCH: '1700000500', OSTREE_DUMMY_SIGN_ENABLED: '1', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

function say(program: string, args: readonly string[], cwd: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const stdin = openSync(join(cwd, 'stdin'), 'r');
    const child = spawn(program, args, { cwd, env: { ...process.env, ...ENV }, timeout: 60_000, stdio: [stdin, 'pipe', 'pipe'] });
    closeSync(stdin);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString('latin1'), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** Everything in a side's directory but what differs by nature; link counts of checkouts say what was linked. */
function stateOf(dir: string): Map<string, string> {
  const found = describeTree(dir, { times: false });
  for (const [path, text] of found) {
    if (isMasked(path)) found.delete(path);
    else if (/^export.*\.tar$/.test(path)) found.set(path, describeArchive(join(dir, path)));
    else if (path.endsWith('.commitmeta') && readFileSync(join(dir, path)).includes('ostree.gpgsigs'))
      found.set(path, 'signed with GPG');
    else if (path.endsWith('.trustedkeys.gpg')) found.set(path, 'keys');
    // ostree has the kernel label these, which a kernel without SELinux does not do.
    else if (!path.startsWith('r/') && /^mode (4|12)/.test(text))
      found.set(path, text.replace(/, security.selinux=[0-9a-f]+/, ''));
    else if (path.startsWith('r/objects/')) found.set(path, text.replace(/, links \d+/, ''));
  }
  return found;
}

/** Names, order, owners, modes, times and contents: what is in an archive, whatever the dialect. */
function describeArchive(path: string): string {
  const list = run('tar', ['--list', '--verbose', '--numeric-owner', '--full-time', `--file=${path}`]);
  return `${list.status} ${list.stdout} ${run('tar', ['--extract', '--to-stdout', `--file=${path}`]).stdout}`;
}

/** Runs the lines one after another. After a difference our side goes on from where the real one is. */
export async function compareScenario(start: string, lines: readonly (readonly string[])[]): Promise<Difference[]> {
  const sides = copySides(start);
  const differences: Difference[] = [];
  for (const words of lines) {
    const args = words.some((word) => word.startsWith('--repo=')) ? words : ['--repo=r', ...words];
    const line = args.map((word) => (/^[\w./=:^-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
    const [ours, real] = await Promise.all([
      say(process.execPath, [OSTREE_JS, ...args], sides.ours),
      say('ostree', args, sides.real),
    ]);
    differences.push(...compareSaid(line, words, { ours, real }, sides));
    // What an interrupted transaction leaves for the next one is not part of the comparison.
    for (const dir of Object.values(sides)) dropStaging(dir);
    differences.push(...compareFiles(line, acceptedFor(words, real), sides));
  }
  return differences;
}

function compareSaid(
  line: string,
  words: readonly string[],
  { ours, real }: { ours: Said; real: Said },
  sides: Sides,
): Difference[] {
  const accepted = acceptedFor(words, real);
  const differences: Difference[] = [];
  if (ours.status !== real.status && !accepted('status')) {
    const end = ({ status, stderr }: Said): unknown => [status, stderr.slice(-300)];
    differences.push({ line, aspect: 'status', ours: end(ours), real: end(real) });
  }
  const [left, right] = [maskText(words, ours.stdout, sides.ours), maskText(words, real.stdout, sides.real)];
  if (left !== right && !accepted('stdout')) differences.push({ line, aspect: 'stdout', ours: left, real: right });
  return differences;
}

function compareFiles(line: string, accepted: ReturnType<typeof acceptedFor>, sides: Sides): Difference[] {
  const [ours, real] = [stateOf(sides.ours), stateOf(sides.real)];
  const differing = [...new Set([...ours.keys(), ...real.keys()])].filter((path) => ours.get(path) !== real.get(path));
  if (differing.length > 0) resync(sides);
  const paths = differing.filter((path) => !accepted('files', path)).sort();
  if (paths.length === 0) return [];
  const list = (state: Map<string, string>): string[] => paths.map((path) => `${path}: ${state.get(path) ?? 'nothing'}`);
  return [{ line, aspect: 'files', ours: list(ours), real: list(real) }];
}

function dropStaging(dir: string): void {
  const tmp = join(dir, 'r/tmp');
  if (!existsSync(tmp)) return;
  for (const name of readdirSync(tmp)) if (name.startsWith('staging-')) rmSync(join(tmp, name), { recursive: true });
}

function resync({ ours, real }: Sides): void {
  runOk('rm', ['-rf', ours]);
  runOk('cp', ['-a', real, ours]);
}
