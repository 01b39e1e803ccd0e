/** `summary`: writes or shows the repository's own summary. */
import { readSummary, updateSummary } from '../../remote/index.ts';
import { parseVariantText, type Repo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { readSourceDate } from '../environment.ts';
import { splitPair, usageError } from '../input.ts';
import { openForChange } from '../open-repo.ts';
import { readSigner } from '../read-signer.ts';
import type { Input } from '../spec.ts';
import { showSummary } from '../summary-report.ts';
import type { summary } from '../table/mirrors.ts';

type SummaryInput = Input<typeof summary>;

export async function run(context: Context, input: SummaryInput): Promise<unknown> {
  const repo = openForChange(context);
  if (input.update) return update(context, repo, input);
  if (input.view || input.raw || input.listMetadataKeys || input.printMetadataKey !== undefined)
    return showSummary(context, readSummary(repo), input);
  throw usageError('No option specified; use -u to update summary');
}

async function update(context: Context, repo: Repo, input: SummaryInput): Promise<unknown> {
  const { gpgSign: gpgKeys, gpgHomedir, sign: keys, signFromFile: keyFiles, signType: type } = input;
  const sign = await readSigner(context, { gpgKeys, gpgHomedir, keys, keyFiles, type });
  const bytes = await updateSummary(repo, {
    metadata: input.addMetadata.map((text) => {
      const [key, value] = splitPair(text, `Missing '=' in KEY=VALUE metadata '${text}'`);
      return [key, parseVariantText(value)] as const;
    }),
    contentIndex: !input.noContentIndex,
    commitTimeSec: readSourceDate(context.surroundings.env),
    onLockWait: context.onLockWait,
    ...(sign === undefined ? {} : { sign }),
  });
  return { path: `${repo.path}/summary`, sizeBytes: bytes.length };
}
