/**
 * Carries out a planned merge in the new root's /etc, which starts as a copy of the new defaults.
 *
 * Nothing outside the target is ever written: every directory on the way to a path is checked to be a real directory,
 * and a file is written where it stands only when it has no other name and nobody could read it who may not read the
 * new one (ext4 is slow in making files where others have just been removed); else it is made anew. The source trees are
 * only read. The target must not be in use yet; nothing is flushed here, the caller does that once for the whole root.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { copyContent, writeFully } from '../sys/index.ts';
import { type Attributes, readAttributes, writeAttributes } from './attributes.ts';
import { requireDeployable } from './report.ts';
import { type EtcNode, fsPath, openRegular, readNames, readNode, readTarget } from './tree.ts';
import type { EtcPlan, EtcStep } from './types.ts';

export interface EtcApplyResult {
  /** Steps carried out. */
  readonly steps: number;
  /** What could not be carried over and does no harm: files that vanished meanwhile, xattrs the file system refuses. */
  readonly warnings: readonly string[];
}

/**
 * Carries out a plan in the directory. May be repeated after a failure.
 * Errors: `etc-conflict` and `io` when the plan is refused (see requireDeployable), `path-unsafe`, system errors.
 */
export function applyEtcMerge(plan: EtcPlan, targetDir: string): EtcApplyResult {
  requireDeployable(plan);
  const target = new Target(plan, targetDir);
  let steps = 0;
  for (const action of plan.actions) {
    for (const step of action.steps) {
      try {
        target.run(step);
      } catch (error) {
        throw wrapSystemError(error, 'Cannot merge', path.join(targetDir, step.to));
      }
      steps++;
    }
  }
  return { steps, warnings: target.warnings };
}

class Target {
  readonly #plan: EtcPlan;
  readonly #dir: string;
  /** Directories known to be real ones, by absolute path. */
  readonly #checked = new Set<string>();
  readonly warnings: string[] = [];

  constructor(plan: EtcPlan, dir: string) {
    this.#plan = plan;
    this.#dir = dir;
    if (readNode(dir)?.type !== 'directory') throw unsafe(dir, 'a directory');
    this.#checked.add(dir);
  }

  run(step: EtcStep): void {
    const to = this.#safePath(step.to);
    if (step.step === 'remove') this.#remove(to);
    else if (step.step === 'write')
      this.#writeFile(to, step.attributes, (fd) => {
        writeFully(fd, step.content);
        fs.ftruncateSync(fd, step.content.length);
      });
    else if (step.step === 'directory') this.#makeDirectory(to, step.attributes);
    else if (step.step === 'attributes') this.#changeOwnAttributes(step.to, to, step.attributes);
    else {
      const sourceDir = step.from === 'user' ? this.#plan.request.userDir : this.#plan.request.newDefaultsDir;
      const source = readNode(path.join(sourceDir, step.path));
      if (source === undefined) this.warnings.push(`${step.path} vanished while it was being merged`);
      else this.#copy(source, to, step.attributes);
    }
  }

  /** Turns a relative path into an absolute one inside the target, with only real directories on the way. */
  #safePath(relativePath: string): string {
    const full = path.join(this.#dir, relativePath);
    if (full !== this.#dir && !full.startsWith(`${this.#dir}/`)) throw unsafe(full, `a path in ${this.#dir}`);
    if (full !== this.#dir) this.#checkDirectory(path.dirname(full));
    return full;
  }

  #checkDirectory(dir: string): void {
    if (this.#checked.has(dir)) return;
    this.#checkDirectory(path.dirname(dir));
    if (readNode(dir)?.type !== 'directory') throw unsafe(dir, 'a directory');
    this.#checked.add(dir);
  }

  #remove(to: string): void {
    const node = readNode(to);
    if (node === undefined) return;
    if (node.type !== 'directory') {
      fs.unlinkSync(fsPath(to));
      return;
    }
    fs.rmSync(fsPath(to), { recursive: true });
    for (const dir of this.#checked) if (dir === to || dir.startsWith(`${to}/`)) this.#checked.delete(dir);
  }

  #copy(source: EtcNode, to: string, attributes: Attributes = readAttributes(source)): void {
    if (source.type === 'directory') this.#copyDirectory(source, to, attributes);
    else if (source.type === 'file') this.#copyFile(source, to, attributes);
    else if (source.type === 'symlink') {
      this.#remove(to);
      fs.symlinkSync(readTarget(source), fsPath(to));
      this.#warnAbout(to, writeAttributes(to, attributes));
    } else this.warnings.push(`${source.path} is a device, FIFO or socket and was not copied`);
  }

  #copyDirectory(source: EtcNode, to: string, attributes: Attributes): void {
    this.#remove(to);
    this.#makeDirectory(to, attributes);
    for (const name of readNames(source.path)) {
      const child = readNode(path.join(source.path, name));
      if (child !== undefined) this.#copy(child, path.join(to, name));
    }
  }

  #copyFile(source: EtcNode, to: string, attributes: Attributes): void {
    let from: number;
    try {
      from = openRegular(source.path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.warnings.push(`${source.path} vanished while it was being merged`);
      return;
    }
    try {
      const { size, atime, mtime } = fs.fstatSync(from);
      this.#writeFile(to, attributes, (fd) => {
        copyContent(from, fd, size);
        fs.ftruncateSync(fd, Math.min(size, fs.fstatSync(from).size));
        fs.futimesSync(fd, atime, mtime);
      });
    } finally {
      fs.closeSync(from);
    }
  }

  /** Puts a file in place of whatever is there. What fills it also cuts it to its size. */
  #writeFile(to: string, attributes: Attributes, fill: (fd: number) => void): void {
    const reused = openForReuse(to, attributes);
    if (reused === undefined) this.#remove(to);
    const fd = reused ?? fs.openSync(fsPath(to), NEW_FILE_FLAGS, 0o600);
    try {
      fill(fd);
      this.#warnAbout(to, writeAttributes(fd, attributes));
    } finally {
      fs.closeSync(fd);
    }
  }

  #makeDirectory(to: string, attributes: Attributes): void {
    if (readNode(to)?.type !== 'directory') {
      this.#remove(to);
      fs.mkdirSync(fsPath(to), 0o700);
    }
    this.#changeAttributes(to, attributes);
    this.#checked.add(to);
  }

  /** A file that shares its inode with another name, as equal files of a checkout do, gets one of its own first. */
  #changeOwnAttributes(relativePath: string, to: string, attributes: Attributes): void {
    const node = readNode(to);
    const source = readNode(path.join(this.#plan.request.newDefaultsDir, relativePath));
    if (node?.type === 'file' && node.stat.nlink > 1 && source !== undefined) this.#copy(source, to, attributes);
    else this.#changeAttributes(to, attributes);
  }

  #changeAttributes(to: string, attributes: Attributes): void {
    if (readNode(to)?.type === 'symlink') {
      this.#warnAbout(to, writeAttributes(to, attributes));
      return;
    }
    const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
    const fd = fs.openSync(fsPath(to), flags);
    try {
      this.#warnAbout(to, writeAttributes(fd, attributes));
    } finally {
      fs.closeSync(fd);
    }
  }

  #warnAbout(to: string, refused: readonly string[]): void {
    const where = path.relative(this.#dir, to);
    for (const name of refused) this.warnings.push(`${where}: the extended attribute ${name} could not be set`);
  }
}

const NEW_FILE_FLAGS = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;
const REUSE_FLAGS = fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** Opens the file that stands there for writing, if its storage may be used again for the new one. */
function openForReuse(to: string, attributes: Attributes): number | undefined {
  const node = readNode(to);
  if (node?.type !== 'file' || node.stat.nlink !== 1) return undefined;
  const { uid, gid, mode } = node.stat;
  if (uid !== attributes.uid || gid !== attributes.gid || (mode & 0o077 & ~attributes.mode) !== 0) return undefined;
  return fs.openSync(fsPath(to), REUSE_FLAGS);
}

function unsafe(found: string, expected: string): HacktreeError {
  return new HacktreeError('path-unsafe', `${found} is not ${expected}`, { details: { path: found, expected } });
}
