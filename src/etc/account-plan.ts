/** Reads the account files of the three sides when the first of them has to be merged, and merges all at once. */
import * as path from 'node:path';
import { ACCOUNT_FILES, type AccountFile, isAccountFile } from './account-files.ts';
import { type AccountMerge, type AccountVersions, mergeAccountFiles } from './account-merge.ts';
import { type EtcNode, readContent, readNode } from './tree.ts';
import type { EtcMergeRequest } from './types.ts';

/** Makes the function that gives the merge of an account file at the top of /etc, and undefined for any other path. */
export function accountMerger(request: EtcMergeRequest): (relativePath: string) => AccountMerge | undefined {
  let merges: Partial<Record<AccountFile, AccountMerge>> | undefined;
  return (relativePath) => {
    if (!isAccountFile(relativePath)) return undefined;
    merges ??= mergeAccountFiles(readVersions(request));
    return merges[relativePath];
  };
}

function readVersions(request: EtcMergeRequest): Partial<Record<AccountFile, AccountVersions>> {
  const files: Partial<Record<AccountFile, AccountVersions>> = {};
  for (const file of ACCOUNT_FILES) {
    const [base, user, next] = [request.defaultsDir, request.userDir, request.newDefaultsDir].map((dir) => readText(dir, file));
    if (user !== undefined && next !== undefined) files[file] = { base, user, next };
  }
  return files;
}

/** Bytes as latin1, so that any encoding survives. */
function readText(dir: string, file: string): string | undefined {
  const node: EtcNode | undefined = readNode(path.join(dir, file));
  return node?.type === 'file' ? readContent(node).toString('latin1') : undefined;
}
