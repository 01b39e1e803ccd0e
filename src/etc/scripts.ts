/**
 * Local scripts: the administrator's configuration as programs that run on top of a fresh tree, in the new root, before
 * it becomes bootable (`/etc/hacktree/deploy.d/`, in order of their names).
 *
 * A script that fails is a result, not an error: the caller undoes the deployment. Comments at a script's start say what
 * it needs:
 *
 *     # hacktree: network
 *     # hacktree: time-limit 900
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isHacktreeError, tryUtf8 } from '../core/index.ts';
import { runOnTerminal, runProcess } from '../sys/index.ts';
import { parseBeside } from './beside.ts';
import type { EtcPolicy } from './policy.ts';
import { ROOM_FAILED, roomCommand, type ScriptRoom } from './script-room.ts';
import { openRegular, readNames, readNode } from './tree.ts';

/** Relative to /etc. */
export const SCRIPTS_DIR = 'hacktree/deploy.d';

const DEFAULT_TIME_LIMIT_SEC = 300;
const MAX_OUTPUT_BYTES = 8 << 20;
const HEADER_BYTES = 4096;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface DeployScript {
  readonly name: string;
  readonly hasNetwork: boolean;
  readonly timeLimitSec: number;
}

export interface DeployScripts {
  /** In the order in which they run. */
  readonly scripts: readonly DeployScript[];
  /** Files there that are not run, with the reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Lists the scripts of an /etc, which may have none. */
export function listDeployScripts(etcDir: string, policy: EtcPolicy): DeployScripts {
  const dir = path.join(etcDir, SCRIPTS_DIR);
  const way = [path.dirname(dir), dir].every((one) => readNode(one)?.type === 'directory');
  const scripts: DeployScript[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const name of way ? readNames(dir) : []) {
    const reason = skipReason(dir, name);
    if (reason === undefined) scripts.push(readScript(path.join(dir, name), name, policy));
    else skipped.push({ name, reason });
  }
  return { scripts, skipped };
}

function skipReason(dir: string, name: string): string | undefined {
  if (name.startsWith('.') || /~$|\.(dpkg-[a-z]+|rpm[a-z]+|bak|orig)$/.test(name)) return 'the name is that of a back-up';
  if (parseBeside(name) !== undefined) return 'one side of a conflict';
  const node = readNode(path.join(dir, name));
  if (node?.type !== 'file') return 'no regular file';
  return (node.stat.mode & 0o100) === 0 ? 'not executable' : undefined;
}

function readScript(file: string, name: string, policy: EtcPolicy): DeployScript {
  const settings = readHeader(file).matchAll(/^#[ \t]*hacktree:[ \t]*(network|time-limit[ \t]+([1-9]\d{0,6}))[ \t]*$/gm);
  let hasNetwork = policy.scripts.network.some((pattern) => pattern.test(name));
  let timeLimitSec = policy.scripts.timeLimitSec ?? DEFAULT_TIME_LIMIT_SEC;
  for (const [, setting, seconds] of settings) {
    if (setting === 'network') hasNetwork = true;
    else timeLimitSec = Number(seconds);
  }
  return { name, hasNetwork, timeLimitSec };
}

/** The comment lines at the start of a script. */
function readHeader(file: string): string {
  const fd = openRegular(file);
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    const text = bytes.toString('latin1', 0, fs.readSync(fd, bytes, 0, HEADER_BYTES, 0));
    return /^(?:[ \t]*(?:#.*)?(?:\n|$))*/.exec(text)?.[0] ?? '';
  } finally {
    fs.closeSync(fd);
  }
}

export interface ScriptRun {
  readonly name: string;
  readonly isOk: boolean;
  /** For people: how it ended. */
  readonly outcome: string;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface ScriptsRequest extends Pick<ScriptRoom, 'rootDir' | 'varDir'> {
  readonly scripts: readonly DeployScript[];
  /** Added to PATH, HOME, LANG and TERM, which are all that scripts see. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onStart?: (script: DeployScript) => void;
  /**
   * Asked when a script has failed: true goes on with the next, false ends. openShell runs a shell in the new root on
   * this terminal and gives its exit status. Default: false.
   */
  readonly onFailure?: (run: ScriptRun, openShell: () => Promise<number>) => Promise<boolean>;
}

export interface ScriptsResult {
  /** All scripts ran, and each ended well or was let pass by onFailure. */
  readonly isOk: boolean;
  /** Those that ran, in order; the last is the one that failed when not all is well. */
  readonly runs: readonly ScriptRun[];
}

/** Runs scripts one after the other inside a new root that is not in use. Errors: `path-unsafe`, `permission`. */
export async function runDeployScripts(request: ScriptsRequest): Promise<ScriptsResult> {
  const runs: ScriptRun[] = [];
  for (const script of request.scripts) {
    request.onStart?.(script);
    const run = await runScript(script, request);
    runs.push(run);
    if (run.isOk) continue;
    const goesOn = await request.onFailure?.(run, () => openShell(script, request));
    if (goesOn !== true) return { isOk: false, runs };
  }
  return { isOk: true, runs };
}

async function runScript(script: DeployScript, request: ScriptsRequest): Promise<ScriptRun> {
  const { name, timeLimitSec } = script;
  const { program, args } = roomCommand({ ...request, hasNetwork: script.hasNetwork }, [`/etc/${SCRIPTS_DIR}/${name}`]);
  try {
    const env = scriptEnvironment(request);
    const result = await runProcess(program, args, {
      cwd: '/',
      env,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      timeoutMs: timeLimitSec * 1000,
    });
    const output = [result.stdout, result.stderr].map((bytes) => tryUtf8(bytes) ?? bytes.toString('latin1')).join('');
    const ended = { name, output, isOk: result.status === 0 && !result.isTimedOut };
    if (result.isTimedOut) return { ...ended, outcome: `took longer than ${timeLimitSec} s and was stopped` };
    if (result.status === ROOM_FAILED) return { ...ended, outcome: 'its surroundings could not be set up' };
    if (result.status === undefined) return { ...ended, outcome: `was ended by ${result.signal}` };
    return { ...ended, outcome: `ended with status ${result.status}` };
  } catch (error) {
    if (!isHacktreeError(error) || error.code !== 'io') throw error;
    return { name, isOk: false, outcome: `wrote more than ${MAX_OUTPUT_BYTES} bytes and was stopped`, output: '' };
  }
}

/** Without job control (`+m`): the terminal's process groups are not to be seen from inside the room. */
const SHELL = ['/bin/sh', '-c', 'trap : INT; /bin/sh -i +m 3>&-; echo $? >&3'];

function openShell(script: DeployScript, request: ScriptsRequest): Promise<number> {
  const { program, args } = roomCommand({ ...request, hasNetwork: script.hasNetwork }, SHELL);
  return runOnTerminal(program, args, { cwd: '/', env: { ...scriptEnvironment(request), PS1: 'new root # ' } });
}

function scriptEnvironment({ environment }: ScriptsRequest): Record<string, string> {
  return { PATH, HOME: '/root', LANG: 'C.UTF-8', TERM: 'dumb', ...environment };
}

/** Prints what scripts said, for the file kept with the deployment. */
export function printScriptRuns(runs: readonly ScriptRun[]): string {
  return runs
    .map(({ name, outcome, output }) => `== ${name}: ${outcome}\n${output}${output === '' || output.endsWith('\n') ? '' : '\n'}`)
    .join('');
}
