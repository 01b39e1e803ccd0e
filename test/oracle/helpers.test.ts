/** The helpers themselves: the trees are what they claim to be, by ostree's word, and a difference does not pass unseen. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compareTrees, initOstreeRepo, ostree, ostreeCheckout, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { makeSmallTree, makeVectorTree } from '../helpers/trees.ts';

const withOstree = requireTool('ostree') && requireRoot() ? it : it.skip;

const pathOf = (line: string): string => line.split(':')[0] ?? '';

describe('trees', () => {
  withOstree('makeVectorTree() makes the tree of the test vectors', () => {
    const dir = scratchDir();
    makeVectorTree(join(dir, 't'));
    initOstreeRepo(join(dir, 'repo'));
    const texts = ['--subject=Subject line', '--body=Body text', '--add-metadata-string=version=1.0'];
    const commit = ostreeCommit(join(dir, 'repo'), join(dir, 't'), ...texts);
    expect(commit).toBe('234e6f49923c15733fe2ab1de34661c3c931f7674c9f8e6435caa141db1eca19');
  });

  withOstree('makeSmallTree() survives ostree, and compareTrees() sees what is changed afterwards', () => {
    const dir = scratchDir();
    const [repo, tree, copy] = [join(dir, 'repo'), join(dir, 'tree'), join(dir, 'copy')];
    makeSmallTree(tree);
    initOstreeRepo(repo);
    const commit = ostreeCommit(repo, tree);
    expect(ostreeFsck(repo)).toBe('');
    ostreeCheckout(repo, commit, copy, '--force-copy');
    const aspects = { times: false, linkCounts: false };
    // ostree leaves out xattrs without a value when it reads a tree
    expect(compareTrees(copy, tree, aspects).map(pathOf)).toEqual(['xattrs/empty-value']);
    expect(ostree(repo, 'ls', '-R', commit).split('\n').length).toBeGreaterThan(350);
    chmodSync(join(copy, 'modes/file-0644'), 0o645);
    writeFileSync(join(copy, 'sizes/zeros'), Buffer.alloc(500_000, 1));
    writeFileSync(join(copy, 'new'), '');
    expect(compareTrees(copy, tree, aspects).map(pathOf)).toEqual([
      'modes/file-0644',
      'new',
      'sizes/zeros',
      'xattrs/empty-value',
    ]);
  });
});

describe('run()', () => {
  it('gives status, both outputs, and 128 + number for a signal', () => {
    expect(run('sh', ['-c', 'cat; echo err >&2; exit 3'], { input: 'in' })).toEqual({ status: 3, stdout: 'in', stderr: 'err\n' });
    expect(run('sh', ['-c', 'kill -9 $$']).status).toBe(137);
  });
});
