/** `show`: prints a commit, a part of its metadata, or any object. */
import { type Checksum, isChecksum, printSize } from '../../core/index.ts';
import {
  describeCommit,
  describeNode,
  findRawType,
  listMetadataKeys,
  listRelated,
  openRepo,
  printDetachedKey,
  printMetadataKey,
  printObject,
  printVariantFile,
  printXattrs,
  type Repo,
  resolveRev,
  sumSizes,
} from '../../repo/index.ts';
import { commitData, printCommit, signaturesOf } from '../commit-text.ts';
import type { Context } from '../context.ts';
import { printMode } from '../format-text.ts';
import type { Input } from '../spec.ts';
import type { show } from '../table/history.ts';

type ShowInput = Input<typeof show>;

export async function run(context: Context, input: ShowInput): Promise<unknown> {
  if (input.printVariantType !== undefined) return showText(context, printVariantFile(input.object, input.printVariantType));
  const repo = openRepo(context.repoPath);
  const checksum = resolveRev(repo, input.object);
  return showPart(context, repo, { checksum, input }) ?? (await showObject(context, repo, { checksum, input }));
}

interface Wanted {
  readonly checksum: Checksum;
  readonly input: ShowInput;
}

function showText(context: Context, text: string): object {
  context.line(text);
  return { text };
}

/** What the --print and --list options ask for; undefined without one. */
function showPart(context: Context, repo: Repo, { checksum: commit, input }: Wanted): object | undefined {
  const { printMetadataKey: key, printDetachedMetadataKey: detachedKey } = input;
  const asStored = input.noByteswap;
  if (key !== undefined) return showText(context, printMetadataKey(repo, { commit, key }, { asStored }));
  if (detachedKey !== undefined) return showText(context, printDetachedKey(repo, { commit, key: detachedKey }, { asStored }));
  if (input.listMetadataKeys || input.listDetachedMetadataKeys) {
    const keys = listMetadataKeys(repo, commit, { detached: input.listDetachedMetadataKeys }).sort();
    for (const each of keys) context.line(each);
    return { commit, keys };
  }
  if (input.printRelated) {
    const related = listRelated(repo, commit);
    for (const each of related) context.line(`${each.name} ${each.commit}`);
    return { commit, related };
  }
  return input.printSizes ? showSizes(context, repo, commit) : undefined;
}

function showSizes(context: Context, repo: Repo, commit: Checksum): object {
  const sizes = sumSizes(repo, commit);
  const pair = (needed: number, total: number): string => `${printSize(needed)}/${printSize(total)}`;
  context.line(`Compressed size (needed/total): ${pair(sizes.neededArchivedBytes, sizes.archivedBytes)}`);
  context.line(`Unpacked size (needed/total): ${pair(sizes.neededUnpackedBytes, sizes.unpackedBytes)}`);
  context.line(`Number of objects (needed/total): ${sizes.neededCount}/${sizes.totalCount}`);
  return { commit, ...sizes };
}

async function showObject(context: Context, repo: Repo, { checksum, input }: Wanted): Promise<object> {
  const isWhole = isChecksum(input.object);
  const type = isWhole ? findRawType(repo, checksum) : 'commit';
  if (type === 'file') return showFile(context, repo, checksum);
  context.line(`${type} ${checksum}`);
  const isRaw = input.raw || input.noByteswap;
  const text = isRaw ? printObject(repo, { checksum, type }, { asStored: input.noByteswap }) : undefined;
  if (text !== undefined) context.line(text);
  if (type !== 'commit') return { type, checksum, ...(text === undefined ? {} : { text }) };
  const facts = describeCommit(repo, checksum);
  if (!input.raw || input.noByteswap) context.print(printCommit(facts));
  const signatures = await signaturesOf(context, repo, checksum, { remote: input.gpgVerifyRemote, homedir: input.gpgHomedir });
  return { type, ...commitData(facts), signatures, ...(text === undefined ? {} : { text }) };
}

function showFile(context: Context, repo: Repo, checksum: Checksum): object {
  const { type, mode, uid, gid, sizeBytes, target, xattrs } = describeNode(repo, { kind: 'file', path: '', name: '', checksum });
  context.line(`Object: ${checksum}`);
  context.line('Type: file');
  context.line(`File Type: ${type === 'symlink' ? 'symlink' : 'regular'}`);
  context.line(target === undefined ? `Size: ${sizeBytes}` : `Target: ${target}`);
  context.line(`Mode: 0${mode.toString(8).padStart(6, '0')}`);
  context.line(`Uid: ${uid}`);
  context.line(`Gid: ${gid}`);
  context.line(`Extended Attributes: ${printXattrs(xattrs)}`);
  return { type, checksum, mode: printMode(mode), uid, gid, sizeBytes, target: target ?? null };
}
