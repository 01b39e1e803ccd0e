/** Lets the user write a text in an editor, as version control systems do. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { HacktreeError } from '../core/index.ts';

/**
 * Opens the editor (VISUAL, EDITOR, else vi) on a template and returns what was written, without lines that start with #.
 * Errors: `io` when the editor fails.
 */
export function askEditor(template: string, env: NodeJS.ProcessEnv): string {
  const dir = fs.mkdtempSync(path.join(env.TMPDIR ?? os.tmpdir(), 'hacktree-'));
  const file = path.join(dir, 'message');
  const editor = [env.VISUAL, env.EDITOR].find((name) => name !== undefined && name !== '') ?? 'vi';
  try {
    fs.writeFileSync(file, template);
    const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    if (error !== undefined || status !== 0) {
      throw new HacktreeError('io', `There was a problem with the editor '${editor}'`, {
        details: { found: status ?? 'no status' },
        cause: error,
      });
    }
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => !line.startsWith('#'))
      .join('\n')
      .trim();
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
