/**
 * Conflicts that leave no file beside: of owner, mode and extended attributes, or where the name would be too long. They are
 * noted in `/etc/hacktree/unresolved`, which goes along from root to root like any file of the user's:
 *
 *     ssl/private    mode 0700 here, 0710 in the new defaults
 *
 * that is path, TAB, what is in conflict. A path with control characters or bytes that are no UTF-8 is a JSON string.
 * A note counts for as long as the path differs from its default.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { compareUtf8, errnoOf, wrapSystemError } from '../core/index.ts';
import { ensureDir, removeFileDurable, writeFileDurable } from '../sys/index.ts';
import type { EtcPlan } from './types.ts';

const NOTES_PATH = 'hacktree/unresolved';

/** What is in conflict, by path relative to /etc. */
export type EtcNotes = ReadonlyMap<string, string>;

/** Reads the notes of an /etc. Errors: system errors. */
export function readNotes(etcDir: string): EtcNotes {
  const file = path.join(etcDir, NOTES_PATH);
  try {
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    return new Map(lines.flatMap((line) => parseNote(line) ?? []));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return new Map();
    throw wrapSystemError(error, 'Cannot read', file);
  }
}

function parseNote(line: string): [[string, string]] | undefined {
  const [printed, text] = line.split('\t');
  if (printed === undefined || printed === '' || text === undefined) return undefined;
  try {
    return [[printed.startsWith('"') ? String(JSON.parse(printed)) : printed, text]];
  } catch {
    // Somebody edited it; what cannot be understood is no note.
    return undefined;
  }
}

/** Adds a plan's conflicts that leave no file beside to the notes of the /etc that it was applied to. */
export function noteConflicts({ actions }: EtcPlan, etcDir: string): void {
  const found = actions.filter(({ outcome, beside }) => outcome === 'conflict' && beside === undefined);
  if (found.length === 0) return;
  const notes = found.map(({ path: at, reason, details = [] }) => [at, details.join('; ') || reason] as const);
  writeNotes(etcDir, new Map([...readNotes(etcDir), ...notes]));
}

/** Takes a path's note away. */
export function dropNote(etcDir: string, relativePath: string): void {
  writeNotes(etcDir, new Map([...readNotes(etcDir)].filter(([at]) => at !== relativePath)));
}

function writeNotes(etcDir: string, notes: EtcNotes): void {
  const file = path.join(etcDir, NOTES_PATH);
  const print = (at: string): string => (at.isWellFormed() && !/[\p{Cc}"]/u.test(at) ? at : JSON.stringify(at));
  const lines = [...notes].sort(([a], [b]) => compareUtf8(a, b)).map(([at, text]) => `${print(at)}\t${text}\n`);
  try {
    if (lines.length === 0) return removeFileDurable(file);
    ensureDir(path.dirname(file));
    writeFileDurable(file, Buffer.from(lines.join('')), { mode: 0o644 });
  } catch (error) {
    throw wrapSystemError(error, 'Cannot write', file);
  }
}
