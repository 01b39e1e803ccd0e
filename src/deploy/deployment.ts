/**
 * A deployment: a root together with what is recorded of it. The record is a few lines of text; `kargs` lines are
 * numbered because keys are unique.
 */
import * as fs from 'node:fs';
import type { KargEdit } from '../bootloader/index.ts';
import { type Checksum, isChecksum } from '../core/index.ts';
import { ROOT_PREFIX, rootDir, type SysrootPaths, stateDirOf } from './layout.ts';
import { type Fields, readRecord, timeField, writeRecord } from './records.ts';

export interface Deployment {
  /** Directory name, `root-3.2`. */
  readonly root: string;
  readonly commit: Checksum | undefined;
  /** Where upgrades come from: `[remote:]ref`. */
  readonly refspec: string | undefined;
  readonly version: string | undefined;
  readonly osName: string;
  /** Directory under /gnomeos/var. */
  readonly varName: string;
  /** Seconds since 1970. */
  readonly deployedSec: number | undefined;
  /** Names the kernel files in /boot. */
  readonly bootChecksum: string | undefined;
  /** Kernel files relative to the boot loader's directory, with their SHA-256. */
  readonly bootFiles: ReadonlyMap<string, string>;
  /** Edits of the machine's layer of kernel arguments. */
  readonly machineKargs: readonly KargEdit[];
  readonly title: string;
  readonly pin: { readonly reason: string | undefined } | undefined;
  readonly goodSec: number | undefined;
  readonly failure:
    | { readonly timeSec: number | undefined; readonly reason: string; readonly check: string | undefined }
    | undefined;
  /** false when the root's directory is gone. */
  readonly isPresent: boolean;
}

/** Reads what is recorded of a root. */
export function readDeployment(paths: SysrootPaths, root: string): Deployment {
  const dir = stateDirOf(paths, root);
  const record: Fields = readRecord(dir, 'deployment') ?? new Map();
  const pin = readRecord(dir, 'pin');
  const failed = readRecord(dir, 'failed');
  const commit = record.get('commit');
  return {
    root,
    commit: commit !== undefined && isChecksum(commit) ? commit : undefined,
    refspec: record.get('refspec'),
    version: record.get('version'),
    osName: record.get('os') ?? 'default',
    varName: readRecord(dir, 'boot')?.get('var') ?? 'default',
    deployedSec: timeField(record, 'time'),
    bootChecksum: record.get('boot_checksum'),
    bootFiles: new Map(numbered(record, 'file').map((line) => splitOnce(line))),
    machineKargs: numbered(record, 'karg').map(parseEdit),
    title: record.get('title') ?? root,
    pin: pin === undefined ? undefined : { reason: pin.get('reason') },
    goodSec: timeField(readRecord(dir, 'good'), 'time'),
    failure:
      failed === undefined
        ? undefined
        : { timeSec: timeField(failed, 'time'), reason: failed.get('reason') ?? 'unknown', check: failed.get('check') },
    isPresent: fs.existsSync(rootDir(paths, root)),
  };
}

function numbered(record: Fields, prefix: string): string[] {
  return [...record].filter(([key]) => key.startsWith(`${prefix}.`)).map(([, value]) => value);
}

function splitOnce(line: string): [string, string] {
  const space = line.indexOf(' ');
  return [line.slice(space + 1), line.slice(0, space)];
}

function parseEdit(line: string): KargEdit {
  const [argument, op] = splitOnce(line);
  return { op: op as KargEdit['op'], argument };
}

/** Writes the records of a root that is being deployed. */
export function writeDeployment(paths: SysrootPaths, deployment: Deployment): void {
  const dir = stateDirOf(paths, deployment.root);
  const lines = (prefix: string, values: readonly string[]): Record<string, string> =>
    Object.fromEntries(values.map((value, i) => [`${prefix}.${i}`, value]));
  writeRecord(dir, 'boot', { var: deployment.varName });
  writeRecord(dir, 'deployment', {
    commit: deployment.commit,
    refspec: deployment.refspec,
    version: deployment.version,
    os: deployment.osName,
    time: deployment.deployedSec?.toString(),
    boot_checksum: deployment.bootChecksum,
    title: deployment.title,
    ...lines(
      'file',
      [...deployment.bootFiles].map(([path, digest]) => `${digest} ${path}`),
    ),
    ...lines(
      'karg',
      deployment.machineKargs.map(({ op, argument }) => `${op} ${argument}`),
    ),
  });
}

/** Names of all roots on the disk, whether the boot menu has them or not. */
export function listRootDirs({ gnomeos }: SysrootPaths): string[] {
  return fs
    .readdirSync(gnomeos, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(ROOT_PREFIX))
    .map((entry) => entry.name)
    .sort();
}
